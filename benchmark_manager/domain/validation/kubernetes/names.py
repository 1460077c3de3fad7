"""Names and labels which Kubernetes takes.

Sources: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and …/labels/
"""

import re
from typing import Final

from benchmark_manager.domain.validation.complaints import Complaints, mapping, shown
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value

MAX_LABEL: Final = 63
_MAX_SUBDOMAIN: Final = 253
_MAX_CRON_JOB: Final = 52

# RFC 1123: a label, and labels joined by dots.
_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
)
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")

#: The name of each pod, or a label on it, is made of these objects' names: there is less room than
#: elsewhere.
_LENGTHS: Final = {
    "Job": MAX_LABEL,
    "CronJob": _MAX_CRON_JOB,
    "Service": MAX_LABEL,
    "Namespace": MAX_LABEL,
}
_LABEL_KINDS: Final = frozenset({"Service", "Namespace"})


def is_label_name(name: str) -> bool:
    return len(name) <= MAX_LABEL and _LABEL.fullmatch(name) is not None


def check_object_name(kind: str, name: Value, complaints: Complaints) -> None:
    """Check `metadata.name` of an object whose name is a DNS name."""
    code = "job_name_invalid" if kind == "Job" else "name_invalid"
    path = ("metadata", "name")
    if name is None:
        return
    if not isinstance(name, str):
        complaints.add(
            path, code, f"The {kind}'s name {excerpt(str(name))} is no string; quote it."
        )
        return
    most = _LENGTHS.get(kind, _MAX_SUBDOMAIN)
    pattern, letters = (_LABEL, "and `-`") if kind in _LABEL_KINDS else (_SUBDOMAIN, "`-` and `.`")
    if len(name) > most or not pattern.fullmatch(name):
        complaints.add(
            path,
            code,
            f"Kubernetes refuses the {kind}'s name {excerpt(name)}: it may hold lower-case letters, digits, "
            f"{letters}, begins and ends with a letter or digit, and has at most {most} characters.",
        )


def check_label_name(path: Path, what: str, name: Value, complaints: Complaints) -> None:
    """Check the name of a part, as a container's, which must be a DNS label."""
    if isinstance(name, str) and not is_label_name(name):
        complaints.add(
            path,
            "name_invalid",
            f"Kubernetes refuses the {what}'s name {excerpt(name)}: it may hold lower-case letters, digits and `-`, "
            f"begins and ends with a letter or digit, and has at most {MAX_LABEL} characters.",
        )


def check_labels(path: Path, labels: Value, complaints: Complaints) -> None:
    """Check keys and values of labels, or of a selector of labels."""
    for key, value in mapping(labels).items():
        _check_key((*path, key), key, complaints)
        if isinstance(value, str) and value and not _is_short_name(value):
            complaints.add(
                (*path, key),
                "label_invalid",
                f"Kubernetes refuses {excerpt(value)} as {shown((*path, key))}: letters, digits, `-`, `_` and `.`, "
                f"at most {MAX_LABEL}, beginning and ending with a letter or digit.",
            )


def check_annotations(path: Path, annotations: Value, complaints: Complaints) -> None:
    for key in mapping(annotations):
        _check_key((*path, key), key.lower(), complaints)


def _check_key(path: Path, key: str, complaints: Complaints) -> None:
    prefix, slash, name = key.rpartition("/")
    good_prefix = len(prefix) <= _MAX_SUBDOMAIN and _SUBDOMAIN.fullmatch(prefix) if slash else True
    if not (good_prefix and _is_short_name(name)):
        complaints.add(
            path,
            "label_invalid",
            f"Kubernetes refuses the key {excerpt(key)}: a name of letters, digits, `-`, `_` and `.`, at most "
            f"{MAX_LABEL}, behind a DNS name and `/` if need be.",
        )


def _is_short_name(text: str) -> bool:
    return len(text) <= MAX_LABEL and _QUALIFIED.fullmatch(text) is not None
