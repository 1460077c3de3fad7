"""Rules for volumes and claims.

Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
"""

from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.containers import (
    FILE_FIELD,
    PULL_POLICY,
    RESOURCE_FIELD,
)
from benchmark_manager.domain.validation.api_server.labels import LABEL_SELECTOR
from benchmark_manager.domain.validation.api_server.rules import (
    Field,
    Shape,
    all_of,
    amount,
    each,
    given,
    is_open,
    known,
    not_empty,
    number,
    one_of,
    only_one,
    required,
    text,
)
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value
from benchmark_manager.domain.validation.values import mapping, sequence

_MODE: Final = number(0, 0o777)
_MINUTES_10: Final = 600

#: Every kind of volume; a volume without any is an emptyDir.
_SOURCES: Final = (
    *(
        "awsElasticBlockStore",
        "azureDisk",
        "azureFile",
        "cephfs",
        "cinder",
        "configMap",
        "csi",
        "downwardAPI",
    ),
    *(
        "emptyDir",
        "ephemeral",
        "fc",
        "flexVolume",
        "flocker",
        "gcePersistentDisk",
        "gitRepo",
        "glusterfs",
    ),
    *(
        "hostPath",
        "image",
        "iscsi",
        "nfs",
        "persistentVolumeClaim",
        "photonPersistentDisk",
        "portworxVolume",
    ),
    *("projected", "quobyte", "rbd", "scaleIO", "secret", "storageos", "vsphereVolume"),
)

# --- claims ---------------------------------------------------------------------------------------


def _access_modes(value: Value, field: Field) -> None:
    modes = sequence(value)
    if "ReadWriteOncePod" in modes and len({mode for mode in modes if isinstance(mode, str)}) > 1:
        field.refuse(
            "fields_conflict",
            "A claim with ReadWriteOncePod cannot have other access modes.",
        )
    each(one_of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"))(value, field)


def _size_of_storage(value: Value, field: Field) -> None:
    requests = mapping(mapping(mapping(value).get("resources")).get("requests"))
    # Without access modes as well, it may be a patch that changes another field.
    if "storage" not in requests and mapping(value).get("accessModes"):
        field.require("resources.requests.storage", "a claim must say how much storage it needs.")
    elif amount(requests.get("storage")) == 0:
        at = field.child("resources", "requests", "storage")
        at.refuse("wrong_value", "A claim must ask for more than 0 storage.")


#: Fields that patches of a claim do not have: these mostly change its size or its class.
_OF_WHOLE_CLAIMS: Final = ("volumeMode", "volumeName", "selector", "dataSource", "dataSourceRef")
_NEEDS_ACCESS_MODES: Final = "a claim must say how its volume is mounted, such as ReadWriteOnce."


def _access_of_claim(value: Value, field: Field) -> None:
    requests = mapping(mapping(mapping(value).get("resources")).get("requests"))
    if (
        mapping(value).get("accessModes") is None
        and "storage" in requests
        and given(value, _OF_WHOLE_CLAIMS)
    ):
        field.require("accessModes", _NEEDS_ACCESS_MODES)


def _source_of_claim(value: Value, field: Field) -> None:
    if (
        isinstance(value, dict)
        and not value.get("apiGroup")
        and known(value, "kind") != "PersistentVolumeClaim"
    ):
        kind = value.get("kind")
        if isinstance(kind, str) and kind and not is_open(kind):
            message = (
                f"Without an apiGroup the kind must be PersistentVolumeClaim, not {excerpt(kind)}."
            )
            field.child("kind").refuse("fields_conflict", message)


CLAIM: Final = Shape(
    {
        "accessModes": all_of(not_empty, _access_modes),
        "volumeMode": one_of("Filesystem", "Block"),
        "storageClassName": forms.SUBDOMAIN,
        "selector": LABEL_SELECTOR,
        "dataSource": _source_of_claim,
        "dataSourceRef": _source_of_claim,
    },
    _size_of_storage,
    _access_of_claim,
)
#: The claim in a workload's template, which cannot be a patch.
CLAIM_IN_TEMPLATE: Final = CLAIM.extended({}, required("accessModes", _NEEDS_ACCESS_MODES))

# --- volumes --------------------------------------------------------------------------------------

_ITEM: Final = Shape({"path": forms.FILE_IN_VOLUME, "mode": _MODE})


def _one_field(value: Value, field: Field) -> None:
    if isinstance(value, dict) and not given(value, ("fieldRef", "resourceFieldRef")):
        field.require("fieldRef or resourceFieldRef", "one of them must say what the file holds.")


_POD_FILE: Final = Shape(
    {
        "path": forms.FILE_IN_VOLUME,
        "mode": _MODE,
        "fieldRef": FILE_FIELD,
        "resourceFieldRef": RESOURCE_FIELD.extended(
            {},
            required("containerName", "a resource in a volume is that of a named container."),
        ),
    },
    only_one("fieldRef", "resourceFieldRef", what="content of the file"),
    _one_field,
)
_PROJECTIONS: Final = (
    *(
        "clusterTrustBundle",
        "configMap",
        "downwardAPI",
        "podCertificate",
        "secret",
        "serviceAccountToken",
    ),
)


def _paths(source: Value) -> list[tuple[Path, Value]]:
    """Return the files' paths in one source of a projected volume, each after its own location."""
    return [
        ((member, "items", index, "path"), mapping(item).get("path"))
        for member in ("configMap", "secret", "downwardAPI")
        for index, item in enumerate(sequence(mapping(mapping(source).get(member)).get("items")))
    ]


def _distinct_files(value: Value, field: Field) -> None:
    seen: set[str] = set()
    for index, source in enumerate(sequence(mapping(value).get("sources"))):
        for steps, path in _paths(source):
            if isinstance(path, str) and not is_open(path):
                if path in seen:
                    at = field.child("sources", index, *steps)
                    at.refuse(
                        "duplicate_value", f"Two files in the volume have the path {excerpt(path)}."
                    )
                seen.add(path)


_NAMED_FILES: Final = Shape({"items": each(_ITEM)}, required("name", "it names the object."))
_PROJECTED: Final = Shape(
    {
        "defaultMode": _MODE,
        "sources": each(
            Shape(
                {
                    "configMap": _NAMED_FILES,
                    "secret": _NAMED_FILES,
                    "downwardAPI": Shape({"items": each(_POD_FILE)}),
                    "serviceAccountToken": Shape(
                        {
                            "expirationSeconds": number(_MINUTES_10, 2**32),
                            "path": forms.FILE_IN_VOLUME,
                        }
                    ),
                    "clusterTrustBundle": Shape(
                        {"path": forms.FILE_IN_VOLUME},
                        only_one("name", "signerName", what="bundle"),
                    ),
                },
                only_one(*_PROJECTIONS, what="kind of source"),
            )
        ),
    },
    _distinct_files,
)


def _files_of(name: str, what: str) -> Shape:
    message = f"it names the {what}."
    return Shape({"defaultMode": _MODE, "items": each(_ITEM)}, required(name, message))


_MEDIUM: Final = text(
    lambda medium: medium in {"Memory", "HugePages"} or medium.startswith("HugePages-"),
    "be Memory, or be removed",
)

VOLUME: Final = Shape(
    {
        "configMap": _files_of("name", "ConfigMap"),
        "secret": _files_of("secretName", "Secret"),
        "downwardAPI": Shape({"defaultMode": _MODE, "items": each(_POD_FILE)}),
        "projected": _PROJECTED,
        "emptyDir": Shape({"medium": _MEDIUM}),
        "hostPath": Shape(
            {
                "path": forms.PATH_WITHOUT_STEPS_UP,
                "type": one_of(
                    *("DirectoryOrCreate", "Directory", "FileOrCreate", "File"),
                    *("Socket", "CharDevice", "BlockDevice"),
                ),
            }
        ),
        "nfs": Shape({"path": forms.ABSOLUTE_PATH}),
        "image": Shape({"pullPolicy": PULL_POLICY, "reference": forms.IMAGE}),
        "ephemeral": Shape(
            {"volumeClaimTemplate": Shape({"spec": CLAIM_IN_TEMPLATE})},
            required("volumeClaimTemplate", "an ephemeral volume is made from it."),
        ),
    },
    only_one(*_SOURCES, what="kind of volume"),
)
