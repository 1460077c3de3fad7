"""Rules for containers: ports, variables, mounts, probes, resources, security.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container
"""

from decimal import Decimal, InvalidOperation
from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.rules import (
    MAX_INT32,
    OPEN,
    Field,
    Shape,
    all_of,
    amount,
    each,
    every_value,
    forbidden,
    given,
    is_number,
    is_open,
    known,
    number,
    one_at_least,
    one_of,
    only_one,
    quantity,
    required,
    text,
    unique,
)
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.placeholders import holds_placeholder
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping, sequence

PROTOCOL: Final = one_of("TCP", "UDP", "SCTP")
PULL_POLICY: Final = one_of("Always", "IfNotPresent", "Never")
PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_ID: Final = number(0, MAX_INT32)

PORT: Final = Shape(
    {
        "name": forms.PORT_NAME,
        "containerPort": number(1, forms.MAX_PORT),
        "hostPort": number(0, forms.MAX_PORT),
        "protocol": PROTOCOL,
    }
)

# --- variables ------------------------------------------------------------------------------------

_POD_FIELDS: Final = frozenset({"metadata.name", "metadata.namespace", "metadata.uid"})
_VARIABLE_FIELDS: Final = _POD_FIELDS | {
    *("spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
    # What `spec.nodeName` was once called.
    "spec.host",
}
_FILE_FIELDS: Final = _POD_FIELDS | {"metadata.labels", "metadata.annotations"}
_RESOURCE_FIELDS: Final = frozenset(
    f"{member}.{name}"
    for member in ("limits", "requests")
    for name in ("cpu", "memory", "ephemeral-storage")
)
_HUGE_PAGE_FIELDS: Final = ("limits.hugepages-", "requests.hugepages-")
_CPU_DIVISORS: Final = frozenset(map(amount, ("0", "1m", "1")))
_BYTE_DIVISORS: Final = frozenset(
    map(amount, ("0", "1", *(f"1{unit}" for unit in "kMGTPE"), *(f"1{unit}i" for unit in "KMGTPE")))
)


def _is_entry(path: str) -> bool:
    """Return whether the path is that of one label or annotation: `metadata.labels['app']`."""
    for member in ("metadata.labels", "metadata.annotations"):
        if path.startswith(f"{member}['") and path.endswith("']"):
            key = path[len(member) + 2 : -2]
            return forms.is_qualified_name(key.lower() if member.endswith("annotations") else key)
    return False


def _field_path(accepted: frozenset[str]) -> Shape:
    known_paths = ", ".join(sorted(accepted - {"spec.host"}))
    check = text(
        lambda path: path in accepted or _is_entry(path),
        f"be one of {known_paths}, or one label or annotation such as metadata.labels['app']",
    )
    return Shape({"fieldPath": check})


def _divisor_fits(value: Value, field: Field) -> None:
    resource, divisor = known(value, "resource"), amount(mapping(value).get("divisor"))
    if not isinstance(resource, str) or divisor is None:
        return
    accepted = _CPU_DIVISORS if resource.endswith(".cpu") else _BYTE_DIVISORS
    if divisor not in accepted:
        units = "1m or 1" if resource.endswith(".cpu") else "1, 1k to 1E or 1Ki to 1Ei"
        field.child("divisor").refuse(
            "wrong_value", f"The divisor of {excerpt(resource)} must be {units}."
        )


RESOURCE_FIELD: Final = Shape(
    {
        "resource": text(
            lambda name: name in _RESOURCE_FIELDS or name.startswith(_HUGE_PAGE_FIELDS),
            f"be one of {', '.join(sorted(_RESOURCE_FIELDS))}, or limits or requests of hugepages",
        )
    },
    _divisor_fits,
)
FILE_FIELD: Final = _field_path(_FILE_FIELDS)
_NAMED: Final = Shape({"name": forms.SUBDOMAIN}, required("name", "it names the object."))
_KEY_OF: Final = _NAMED.extended({"key": forms.DATA_KEY})
_SOURCES: Final = ("configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef")


def _value_or_source(value: Value, field: Field) -> None:
    if not isinstance(value, dict) or not given(value.get("valueFrom"), _SOURCES):
        return
    if isinstance(known(value, "value"), (str, int, float)):
        message = (
            "value and valueFrom cannot be combined: the variable gets its value from one of them."
        )
        field.child("valueFrom").refuse("fields_conflict", message)


VARIABLE: Final = Shape(
    {
        "name": forms.ENV_NAME,
        "valueFrom": Shape(
            {
                "configMapKeyRef": _KEY_OF,
                "secretKeyRef": _KEY_OF,
                "fieldRef": _field_path(_VARIABLE_FIELDS),
                "resourceFieldRef": RESOURCE_FIELD,
            },
            only_one(*_SOURCES, what="source of a variable"),
            one_at_least(*_SOURCES),
        ),
    },
    _value_or_source,
)


def _from_something(value: Value, field: Field) -> None:
    if isinstance(value, dict) and not given(value, ("configMapRef", "secretRef")):
        field.require("configMapRef or secretRef", "one of them must name the variables' object.")


VARIABLES_FROM: Final = Shape(
    {"prefix": forms.ENV_PREFIX, "configMapRef": _NAMED, "secretRef": _NAMED},
    only_one("configMapRef", "secretRef", what="source of variables"),
    _from_something,
)

# --- mounts ---------------------------------------------------------------------------------------


def _recursive_read_only(value: Value, field: Field) -> None:
    mode = known(value, "recursiveReadOnly")
    if mode not in {"Enabled", "IfPossible"}:
        return
    at = field.child("recursiveReadOnly")
    if known(value, "readOnly", default=False) is False and field.whole:
        at.refuse("fields_conflict", f"recursiveReadOnly: {mode} needs readOnly: true.")
    elif known(value, "mountPropagation", "None") not in {"None", OPEN}:
        at.refuse("fields_conflict", f"recursiveReadOnly: {mode} needs mountPropagation: None.")


MOUNT: Final = Shape(
    {
        "mountPath": forms.MOUNT_PATH,
        "subPath": forms.INNER_PATH,
        "subPathExpr": forms.INNER_PATH,
        "mountPropagation": one_of("None", "HostToContainer", "Bidirectional"),
        "recursiveReadOnly": one_of("Disabled", "IfPossible", "Enabled"),
    },
    only_one("subPath", "subPathExpr", what="path inside the volume"),
    _recursive_read_only,
)
DEVICE: Final = Shape({"devicePath": forms.PATH_WITHOUT_STEPS_UP})


def _propagates_when_privileged(value: Value, field: Field) -> None:
    privileged = known(mapping(mapping(value).get("securityContext")), "privileged", default=False)
    if privileged is not False or not field.whole:
        return
    for index, mount in enumerate(sequence(mapping(value).get("volumeMounts"))):
        if known(mount, "mountPropagation") == "Bidirectional":
            message = "Only privileged containers can have mountPropagation: Bidirectional."
            field.child("volumeMounts", index, "mountPropagation").refuse(
                "fields_conflict", message
            )


def _devices_and_mounts(value: Value, field: Field) -> None:
    if not mapping(value).get("volumeDevices"):
        return
    mounts = sequence(mapping(value).get("volumeMounts"))
    for member, mounted_by in (("name", "name"), ("devicePath", "mountPath")):
        mounted = {
            mount.get(mounted_by) for mount in mounts if isinstance(known(mount, mounted_by), str)
        }
        for index, device in enumerate(sequence(mapping(value).get("volumeDevices"))):
            taken = known(device, member)
            if isinstance(taken, str) and taken in mounted:
                message = (
                    f"{excerpt(taken)} is mounted as well; a volume is either mounted or a device."
                )
                field.child("volumeDevices", index, member).refuse("fields_conflict", message)


# --- probes and hooks -----------------------------------------------------------------------------

_HTTP: Final = Shape(
    {
        "port": forms.port_or_name(),
        "scheme": one_of("HTTP", "HTTPS"),
        "httpHeaders": each(Shape({"name": forms.HEADER})),
    }
)
_HANDLERS: Final = {
    "exec": Shape({}, required("command", "it is the command to run.")),
    "httpGet": _HTTP,
    "tcpSocket": Shape({"port": forms.port_or_name()}),
}
_PROBE_HANDLERS: Final = (*_HANDLERS, "grpc")
_HOOK_HANDLERS: Final = (*_HANDLERS, "sleep")


def _has_handler(names: tuple[str, ...]) -> Shape:
    def check(value: Value, field: Field) -> None:
        if isinstance(value, dict) and not given(value, names):
            field.require("The handler", f"write one of {', '.join(names)}.")

    return Shape({}, check, only_one(*names, what="handler"))


_PROBE: Final = Shape(
    {
        **_HANDLERS,
        "grpc": Shape({"port": number(1, forms.MAX_PORT)}),
        **dict.fromkeys(
            (
                "initialDelaySeconds",
                "timeoutSeconds",
                "periodSeconds",
                "successThreshold",
                "failureThreshold",
            ),
            number(0),
        ),
        "terminationGracePeriodSeconds": number(1),
    },
    _has_handler(_PROBE_HANDLERS),
)


def _one_success(value: Value, field: Field) -> None:
    if is_number(value) and value not in {0, 1}:
        field.refuse("wrong_value", f"successThreshold is {value}; for this probe it must be 1.")


_LIFE_PROBE: Final = _PROBE.extended({"successThreshold": _one_success})
_READINESS_PROBE: Final = _PROBE.extended(
    {
        "terminationGracePeriodSeconds": forbidden(
            "A readinessProbe does not end containers: remove this field."
        )
    }
)
_HOOK: Final = Shape(
    {**_HANDLERS, "sleep": Shape({"seconds": number(0)})}, _has_handler(_HOOK_HANDLERS)
)

# --- resources ------------------------------------------------------------------------------------

_RESOURCES_BY_NAME: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_HUGE_PAGES: Final = "hugepages-"


def _resource_names(value: Value, field: Field) -> None:
    for name in mapping(value):
        if holds_placeholder(name) or name in _RESOURCES_BY_NAME or name.startswith(_HUGE_PAGES):
            continue
        at = field.child(name)
        if "/" not in name:
            message = (
                f"A container has no resource {excerpt(name)}: it has cpu, memory, "
                "ephemeral-storage, hugepages-…, and devices with a domain, such as nvidia.com/gpu."
            )
            at.refuse("wrong_value", message)
        elif not forms.is_qualified_name(name) or name.startswith("requests."):
            at.refuse(
                "name_invalid",
                f"{excerpt(name)} is not the name of a resource; write it like nvidia.com/gpu.",
            )


def _is_multiple(size: Decimal, page: Decimal) -> bool:
    try:
        return size % page == 0
    except InvalidOperation:
        # A size of very many digits cannot be divided exactly; it is not reported.
        return True


def _whole_pages(value: Value, field: Field) -> None:
    for name, given_amount in mapping(value).items():
        page = amount(name.removeprefix(_HUGE_PAGES)) if name.startswith(_HUGE_PAGES) else None
        size = amount(given_amount)
        if page is not None and page > 0 and size is not None and not _is_multiple(size, page):
            message = (
                f"{excerpt(str(given_amount))} is not a whole number of pages of {excerpt(name)}."
            )
            field.child(name).refuse("wrong_value", message)


def _huge_pages(value: Value, field: Field) -> None:
    limits, requests = (
        mapping(mapping(value).get("limits")),
        mapping(mapping(value).get("requests")),
    )
    pages = [name for name in (*limits, *requests) if name.startswith(_HUGE_PAGES)]
    if (
        pages
        and field.whole
        and not any(name in part for name in ("cpu", "memory") for part in (limits, requests))
    ):
        member = "limits" if pages[0] in limits else "requests"
        message = "A container that uses huge pages must also set cpu or memory."
        field.child(member, pages[0]).refuse("fields_conflict", message)
    for name, request in requests.items():
        if name.startswith(_HUGE_PAGES) and not is_open(request) and not is_open(limits.get(name)):
            limit, asked = amount(limits.get(name)), amount(request)
            if asked is not None and asked != limit and (limit is not None or field.whole):
                wanted = excerpt(str(request))
                message = f"The limit of {excerpt(name)} must equal its request ({wanted})."
                field.child("requests", name).refuse("extended_resource", message)


RESOURCES: Final = Shape(
    {
        "limits": Shape({}, _resource_names, _whole_pages),
        "requests": Shape({}, _resource_names, _whole_pages),
        "claims": unique("name", request=None),
    },
    _huge_pages,
)


def _request_within_limit(value: Value, field: Field) -> None:
    limits = mapping(mapping(value).get("limits"))
    for name, request in mapping(mapping(value).get("requests")).items():
        asked, limit = amount(request), amount(limits.get(name))
        if asked is not None and limit is not None and asked > limit:
            message = (
                f"The pod requests more {excerpt(name)} ({request}) "
                f"than its limit ({limits[name]})."
            )
            field.child("requests", name).refuse("request_over_limit", message)


POD_RESOURCES: Final = Shape(
    {
        "limits": every_value(quantity),
        "requests": every_value(quantity),
        "claims": forbidden("Only containers have resource claims, not the pod."),
    },
    _request_within_limit,
)

# --- security -------------------------------------------------------------------------------------


def _profile(value: Value, field: Field) -> None:
    kind = known(value, "type")
    if not isinstance(kind, str) or not isinstance(value, dict):
        return
    profile = value.get("localhostProfile")
    if kind == "Localhost" and profile in (None, ""):
        field.require("localhostProfile", "type: Localhost names a profile.")
    elif kind != "Localhost" and profile is not None:
        message = f"localhostProfile is for type: Localhost only, not {excerpt(kind)}."
        field.child("localhostProfile").refuse("fields_conflict", message)


_PROFILE_TYPE: Final = one_of("Localhost", "RuntimeDefault", "Unconfined")
SECCOMP: Final = Shape({"type": _PROFILE_TYPE, "localhostProfile": forms.INNER_PATH}, _profile)
APP_ARMOR: Final = Shape({"type": _PROFILE_TYPE}, _profile)


def _not_as_root(value: Value, field: Field) -> None:
    """Report a container that must run as root and must not: the kubelet does not start it."""
    if known(value, "runAsNonRoot") is True and known(value, "runAsUser") == 0:
        message = (
            "runAsUser: 0 is root, which runAsNonRoot: true forbids: the container will not start."
        )
        field.child("runAsUser").refuse("fields_conflict", message)


def _no_escalation(value: Value, field: Field) -> None:
    if known(value, "allowPrivilegeEscalation") is not False:
        return
    at = field.child("allowPrivilegeEscalation")
    if known(value, "privileged") is True:
        at.refuse(
            "fields_conflict",
            "allowPrivilegeEscalation: false and privileged: true cannot be combined.",
        )
    elif "CAP_SYS_ADMIN" in sequence(mapping(mapping(value).get("capabilities")).get("add")):
        at.refuse(
            "fields_conflict",
            "allowPrivilegeEscalation: false and CAP_SYS_ADMIN cannot be combined.",
        )


_SECURITY: Final = Shape(
    {
        "runAsUser": _ID,
        "runAsGroup": _ID,
        "procMount": one_of("Default", "Unmasked"),
        "seccompProfile": SECCOMP,
        "appArmorProfile": APP_ARMOR,
    },
    _no_escalation,
    _not_as_root,
)

# --- containers -----------------------------------------------------------------------------------

CONTAINER: Final = Shape(
    {
        "image": forms.IMAGE,
        "imagePullPolicy": PULL_POLICY,
        "terminationMessagePolicy": one_of("File", "FallbackToLogsOnError"),
        # Other than Always since Kubernetes 1.34, where the cluster has `ContainerRestartRules`.
        "restartPolicy": one_of("Always", "Never", "OnFailure"),
        "ports": all_of(each(PORT), unique("name", code="duplicate_name")),
        "env": each(VARIABLE),
        "envFrom": each(VARIABLES_FROM),
        "volumeMounts": each(MOUNT),
        "volumeDevices": each(DEVICE),
        "resources": RESOURCES,
        "resizePolicy": all_of(
            each(
                Shape(
                    {
                        "resourceName": one_of("cpu", "memory"),
                        "restartPolicy": one_of("NotRequired", "RestartContainer"),
                    }
                )
            ),
            unique("resourceName"),
        ),
        "livenessProbe": _LIFE_PROBE,
        "startupProbe": _LIFE_PROBE,
        "readinessProbe": _READINESS_PROBE,
        "lifecycle": Shape({"postStart": _HOOK, "preStop": _HOOK}),
        "securityContext": _SECURITY,
    },
    _propagates_when_privileged,
    _devices_and_mounts,
)


def _runs_once(value: Value, field: Field) -> None:
    policy = known(value, "restartPolicy", "")
    if not isinstance(value, dict) or policy == "Always" or policy is OPEN or not field.whole:
        return
    for name in given(value, (*PROBES, "lifecycle")):
        message = (
            f"An init container cannot have {name}, except a sidecar with restartPolicy: Always."
        )
        field.child(name).refuse("fields_conflict", message)


INIT_CONTAINER: Final = CONTAINER.extended({}, _runs_once)
