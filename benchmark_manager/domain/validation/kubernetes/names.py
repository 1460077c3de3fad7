"""Names and labels that Kubernetes accepts.

Sources: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and …/labels/
"""

import re
from typing import Final

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value
from benchmark_manager.domain.validation.value_findings import ValueFindings
from benchmark_manager.domain.validation.values import mapping, shown

MAX_LABEL: Final = 63
_MAX_SUBDOMAIN: Final = 253
_MAX_CRON_JOB: Final = 52

# RFC 1123: a label, and labels joined by dots.
_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
)
_QUALIFIED: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")

#: Kubernetes makes pod names, or labels of pods, from these objects' names, so these are shorter.
_LENGTHS: Final = {
    "Job": MAX_LABEL,
    "CronJob": _MAX_CRON_JOB,
    "Service": MAX_LABEL,
    "Namespace": MAX_LABEL,
}
_LABEL_KINDS: Final = frozenset({"Service", "Namespace"})


def is_label_name(name: str) -> bool:
    return len(name) <= MAX_LABEL and _LABEL.fullmatch(name) is not None


def check_object_name(kind: str, name: Value, findings: ValueFindings) -> None:
    """Check `metadata.name` of an object whose name is a DNS name."""
    code = "job_name_invalid" if kind == "Job" else "name_invalid"
    path = ("metadata", "name")
    if name is None:
        return
    if not isinstance(name, str):
        findings.add(
            path, code, f"The {kind}'s name {excerpt(str(name))} is not a string; quote it."
        )
        return
    most = _LENGTHS.get(kind, _MAX_SUBDOMAIN)
    pattern, letters = (_LABEL, "and `-`") if kind in _LABEL_KINDS else (_SUBDOMAIN, "`-` and `.`")
    if len(name) > most or not pattern.fullmatch(name):
        findings.add(
            path,
            code,
            f"Kubernetes refuses the {kind}'s name {excerpt(name)}: it must hold only lower-case "
            f"letters, digits, {letters}, begin and end with a letter or digit, and have at most "
            f"{most} characters.",
        )


def check_label_name(path: Path, what: str, name: Value, findings: ValueFindings) -> None:
    """Check the name of a part, such as a container, which must be a DNS label."""
    if isinstance(name, str) and not is_label_name(name):
        findings.add(
            path,
            "name_invalid",
            f"Kubernetes refuses the {what}'s name {excerpt(name)}: it must hold only lower-case "
            f"letters, digits and `-`, begin and end with a letter or digit, and have at most "
            f"{MAX_LABEL} characters.",
        )


def check_labels(path: Path, labels: Value, findings: ValueFindings) -> None:
    """Check keys and values of labels, or of a selector of labels."""
    for key, value in mapping(labels).items():
        _check_key((*path, key), key, findings)
        if isinstance(value, str) and value and not _is_short_name(value):
            findings.add(
                (*path, key),
                "label_invalid",
                f"Kubernetes refuses {excerpt(value)} as {shown((*path, key))}: it must have at "
                f"most {MAX_LABEL} letters, digits, `-`, `_` and `.`, and begin and end with a "
                "letter or digit.",
            )


def check_annotations(path: Path, annotations: Value, findings: ValueFindings) -> None:
    for key in mapping(annotations):
        _check_key((*path, key), key.lower(), findings)


def _check_key(path: Path, key: str, findings: ValueFindings) -> None:
    prefix, slash, name = key.rpartition("/")
    good_prefix = len(prefix) <= _MAX_SUBDOMAIN and _SUBDOMAIN.fullmatch(prefix) if slash else True
    if not (good_prefix and _is_short_name(name)):
        findings.add(
            path,
            "label_invalid",
            f"Kubernetes refuses the key {excerpt(key)}: it must be a name of at most {MAX_LABEL} "
            "letters, digits, `-`, `_` and `.`, optionally after a DNS name and `/`.",
        )


def missing_label(kind: str, key: str, value: Value) -> str:
    """Return the message about a label in a workload's selector that its own pods lack."""
    label = f"{excerpt(key)}: {excerpt(str(value))}"
    return f"The {kind} selects pods with {label}, but its own pods lack that label."


def _is_short_name(text: str) -> bool:
    return len(text) <= MAX_LABEL and _QUALIFIED.fullmatch(text) is not None
