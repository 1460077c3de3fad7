"""Objects of Kubernetes by kind: names and labels, the numbers of Jobs, and the pods inside."""

from typing import Final

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.kubernetes.names import (
    check_annotations,
    check_label_name,
    check_labels,
    check_object_name,
    missing_label,
)
from benchmark_manager.domain.validation.kubernetes.pod_check import check_pod, check_storage
from benchmark_manager.domain.validation.texts.placeholders import (
    holds_placeholder,
    value_holds_placeholder,
)
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value
from benchmark_manager.domain.validation.value_findings import ValueFindings
from benchmark_manager.domain.validation.values import mapping, sequence

_SPEC: Final[Path] = ("spec",)
_JOB_SPECS: Final[dict[str, Path]] = {"Job": _SPEC, "CronJob": (*_SPEC, "jobTemplate", "spec")}
_SERVERS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_GROUPS: Final = {
    **dict.fromkeys(_JOB_SPECS, "batch"),
    **dict.fromkeys(_SERVERS, "apps"),
    **dict.fromkeys(
        (
            "Pod",
            "ConfigMap",
            "Secret",
            "Service",
            "PersistentVolumeClaim",
            "ServiceAccount",
            "Namespace",
        ),
        "",
    ),
}
_COUNTS: Final = (
    *("parallelism", "completions", "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes"),
    *("activeDeadlineSeconds", "ttlSecondsAfterFinished"),
)


def is_job(manifest: Value) -> bool:
    """Return whether a manifest is a Job of `batch`, or a Job without an `apiVersion`."""
    return mapping(manifest).get("kind") == "Job" and _is_ours(mapping(manifest))


def _is_ours(manifest: dict[str, Value]) -> bool:
    """Return whether the kind is known here, and its group is one of Kubernetes."""
    kind, version = manifest.get("kind"), manifest.get("apiVersion")
    group = _GROUPS.get(kind) if isinstance(kind, str) else None
    if group is None:
        return False
    return version is None or (isinstance(version, str) and version.rpartition("/")[0] == group)


def pod_spec(manifest: Value) -> tuple[Path, dict[str, Value]]:
    """Return the path and the spec of a workload's pods; both are empty for any other kind."""
    found = mapping(manifest)
    kind = found.get("kind")
    if not _is_ours(found):
        return (), {}
    if kind == "Pod":
        return _SPEC, mapping(found.get("spec"))
    path: Path = (*_JOB_SPECS.get(str(kind), _SPEC), "template", "spec")
    return path, mapping(_at(found, path))


def _at(value: Value, path: Path) -> Value:
    for step in path:
        value = mapping(value).get(str(step))
    return value


def check_workload(manifest: Value, findings: ValueFindings) -> None:
    """Check one document; skip it if it is not an object of a known kind."""
    if not isinstance(manifest, dict) or not _is_ours(manifest):
        return
    kind = str(manifest["kind"])
    _check_metadata(kind, manifest, findings)
    if kind in _JOB_SPECS:
        _check_job(kind, manifest, findings)
    if kind in _SERVERS:
        _check_server(kind, manifest, findings)
    if kind == "PersistentVolumeClaim":
        check_storage(_SPEC, mapping(manifest.get("spec")), findings)
    path, pod = pod_spec(manifest)
    if pod:
        check_pod(path, pod, _claims(manifest), findings)


def _check_metadata(kind: str, manifest: dict[str, Value], findings: ValueFindings) -> None:
    metadata = mapping(manifest.get("metadata"))
    check_object_name(kind, metadata.get("name"), findings)
    check_label_name(("metadata", "namespace"), "namespace", metadata.get("namespace"), findings)
    check_labels(("metadata", "labels"), metadata.get("labels"), findings)
    check_annotations(("metadata", "annotations"), metadata.get("annotations"), findings)
    template = (*_JOB_SPECS.get(kind, _SPEC), "template", "metadata")
    inner = mapping(_at(manifest, template))
    check_labels((*template, "labels"), inner.get("labels"), findings)
    check_annotations((*template, "annotations"), inner.get("annotations"), findings)


def _check_job(kind: str, manifest: dict[str, Value], findings: ValueFindings) -> None:
    if kind == "Job":
        _check_job_top(manifest, findings)
    path = _JOB_SPECS[kind]
    spec = mapping(_at(manifest, path))
    for member in _COUNTS:
        number = spec.get(member)
        if isinstance(number, (int, float)) and not isinstance(number, bool) and number < 0:
            findings.add(
                (*path, member), "negative_number", f"{member} is {number}; it must be 0 or more."
            )
    pod_path: Path = (*path, "template", "spec")
    pod = mapping(_at(manifest, pod_path))
    if pod:
        _check_restart(pod_path, pod, findings)


def _check_job_top(job: dict[str, Value], findings: ValueFindings) -> None:
    if "apiVersion" not in job:
        findings.add((), "api_version_missing", "The Job has no apiVersion; it needs batch/v1.")
    if "spec" not in job:
        findings.add((), "job_spec_missing", "The Job has no spec.")
    metadata = mapping(job.get("metadata"))
    if "name" not in metadata and "generateName" not in metadata:
        findings.add(
            (), "job_name_missing", "The Job has neither metadata.name nor metadata.generateName."
        )


def _check_restart(path: Path, pod: dict[str, Value], findings: ValueFindings) -> None:
    policy = pod.get("restartPolicy")
    if policy is None:
        findings.add(
            path,
            "job_restart_policy",
            "The Job's pods need restartPolicy: Never or OnFailure; the default is Always.",
        )
    elif isinstance(policy, str) and policy not in {"Never", "OnFailure"}:
        message = (
            f"A Job's pods cannot have restartPolicy: {excerpt(policy)}; write Never or OnFailure."
        )
        findings.add((*path, "restartPolicy"), "job_restart_policy", message)


def _check_server(kind: str, manifest: dict[str, Value], findings: ValueFindings) -> None:
    spec = mapping(manifest.get("spec"))
    policy = mapping(mapping(spec.get("template")).get("spec")).get("restartPolicy")
    if isinstance(policy, str) and policy != "Always":
        message = f"The pods of a {kind} cannot have restartPolicy: {excerpt(policy)}; remove it."
        findings.add((*_SPEC, "template", "spec", "restartPolicy"), "restart_policy", message)
    labels = mapping(mapping(mapping(spec.get("template")).get("metadata")).get("labels"))
    if any(map(holds_placeholder, labels)):
        return
    if any(value_holds_placeholder(text) for text in labels.values() if isinstance(text, str)):
        return
    for key, value in mapping(mapping(spec.get("selector")).get("matchLabels")).items():
        if labels.get(key) != value:
            at = (*_SPEC, "selector", "matchLabels", key)
            findings.add(at, "selector_mismatch", missing_label(kind, key, value))
    for number, expression in enumerate(
        sequence(mapping(spec.get("selector")).get("matchExpressions"))
    ):
        if _misses(mapping(expression), labels):
            message = f"The {kind} does not select its own pods by this expression."
            findings.add(
                (*_SPEC, "selector", "matchExpressions", number), "selector_mismatch", message
            )


def _misses(expression: dict[str, Value], labels: dict[str, Value]) -> bool:
    """Return whether labels certainly do not match an expression of a selector."""
    key, operator, values = (
        expression.get("key"),
        expression.get("operator"),
        sequence(expression.get("values")),
    )
    texts = [value for value in values if isinstance(value, str)]
    if (
        not isinstance(key, str)
        or holds_placeholder(key)
        or any(map(value_holds_placeholder, texts))
    ):
        return False
    label = labels.get(key)
    if operator in {"Exists", "DoesNotExist"} and not values:
        return (key in labels) is (operator == "DoesNotExist")
    # The schema reports values that are not text.
    if operator not in {"In", "NotIn"} or not values or len(texts) < len(values):
        return False
    if key in labels and not isinstance(label, str):
        return False
    return (label in texts) is (operator == "NotIn")


def _claims(manifest: dict[str, Value]) -> set[str]:
    templates = sequence(mapping(manifest.get("spec")).get("volumeClaimTemplates"))
    names = (mapping(mapping(template).get("metadata")).get("name") for template in templates)
    return {name for name in names if isinstance(name, str)}
