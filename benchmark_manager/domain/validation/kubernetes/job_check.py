"""Files in the job folder, document by document: Kubernetes' schemas, and the rules beside them.

Warnings, never errors: whether a manifest is accepted is for the cluster to say, and a verdict's
errors mean that the text itself cannot be read.
"""

from typing import Protocol

from benchmark_manager.domain.validation.api_server import check_api_rules
from benchmark_manager.domain.validation.complaints import Complaints, Violation
from benchmark_manager.domain.validation.findings import Findings, excerpt
from benchmark_manager.domain.validation.kubernetes.manifest_lists import Manifest, manifests
from benchmark_manager.domain.validation.kubernetes.partial_manifests import (
    DIRECTIVES,
    has_directive,
    is_directive,
    lacks_what_wholes_have,
)
from benchmark_manager.domain.validation.kubernetes.workload_check import check_workload
from benchmark_manager.domain.validation.texts.plain_values import kubernetes_value
from benchmark_manager.domain.validation.texts.yaml_values import (
    MAX_CHARACTERS,
    MAX_VALUES,
    TooManyValuesError,
    Value,
    build,
)
from benchmark_manager.domain.yaml.events import prepare


class SchemaChecker(Protocol):
    """Kubernetes' schemas of some versions, ready to judge."""

    def violations(self, manifest: dict[str, Value], size: int) -> list[Violation]:
        """What some version refuses in one object of `size` values; nothing for a kind which no version knows."""


def check_jobs(text: str, findings: Findings, schemas: SchemaChecker | None) -> None:
    """Check the documents of a text which parses."""
    parsed = prepare(text).parsed
    try:
        documents = build(parsed, kubernetes_value)
    except TooManyValuesError:
        message = (
            f"The file has over {MAX_VALUES:,} values or {MAX_CHARACTERS:,} characters, its aliases written out; "
            "it was not checked as manifests."
        )
        findings.warning("manifest_too_large", message, None)
        return
    may_be_patch = any(directive in text for directive in DIRECTIVES)
    complaints = Complaints()
    for manifest in manifests(documents):
        _check(manifest, schemas, complaints, may_be_patch=may_be_patch)
    complaints.tell(parsed, kubernetes_value, findings)


def _check(
    manifest: Manifest, schemas: SchemaChecker | None, complaints: Complaints, *, may_be_patch: bool
) -> None:
    value = manifest.value
    if not isinstance(value, dict):
        return
    violations = (
        [] if schemas is None or complaints.full else schemas.violations(value, manifest.size)
    )
    partial = (may_be_patch and has_directive(value)) or lacks_what_wholes_have(value, violations)
    complaints.begin(manifest.document, value, within=manifest.path, partial=partial)
    _check_kind(value, complaints)
    check_workload(value, complaints)
    check_api_rules(value, complaints, whole=not complaints.partial)
    for path, code, message in violations:
        # One fault, one warning: the rules beside the schema say what to do about it.
        if not complaints.knows(path) and not (path and is_directive(path[-1])):
            complaints.add(path, code, message)


def _check_kind(value: dict[str, Value], complaints: Complaints) -> None:
    """Report what was plainly meant to be an object of Kubernetes, as a Job, and is none; any other kind is fine."""
    kind = value.get("kind")
    if kind is None:
        if ("apiVersion" in value and "spec" in value) or isinstance(value.get("Kind"), str):
            complaints.add(
                (), "not_a_job", "The document has no kind, so it is no object of Kubernetes."
            )
    elif isinstance(kind, str) and kind != "Job" and kind.lower() == "job":
        complaints.add(
            ("kind",), "not_a_job", f"Kubernetes has no kind {excerpt(kind)}; write Job."
        )
