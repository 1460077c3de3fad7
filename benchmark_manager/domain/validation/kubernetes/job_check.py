"""Check files in the job folder, document by document, by Kubernetes' schemas and our rules.

All findings are warnings: the cluster decides whether it accepts a manifest, and an error in a
verdict means that the text itself cannot be read.
"""

from typing import Protocol

from benchmark_manager.domain.validation.api_server import check_api_rules
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
from benchmark_manager.domain.validation.value_findings import ValueFindings, Violation
from benchmark_manager.domain.yaml.events import prepare


class SchemaChecker(Protocol):
    """Kubernetes' schemas of some versions."""

    def violations(self, manifest: dict[str, Value], size: int) -> list[Violation]:
        """Return what some version refuses in one object of `size` values.

        A kind that no version has is not refused.
        """


def check_jobs(text: str, findings: Findings, schemas: SchemaChecker | None) -> None:
    """Check the documents of a text that parses."""
    parsed = prepare(text).parsed
    try:
        documents = build(parsed, kubernetes_value)
    except TooManyValuesError:
        message = (
            f"With its aliases expanded, the file has over {MAX_VALUES:,} values or "
            f"{MAX_CHARACTERS:,} characters; it was not checked as a manifest."
        )
        findings.warning("manifest_too_large", message, None)
        return
    may_be_patch = any(directive in text for directive in DIRECTIVES)
    value_findings = ValueFindings()
    for manifest in manifests(documents):
        _check(manifest, schemas, value_findings, may_be_patch=may_be_patch)
    value_findings.report(parsed, kubernetes_value, findings)


def _check(
    manifest: Manifest,
    schemas: SchemaChecker | None,
    findings: ValueFindings,
    *,
    may_be_patch: bool,
) -> None:
    value = manifest.value
    if not isinstance(value, dict):
        return
    violations = (
        [] if schemas is None or findings.full else schemas.violations(value, manifest.size)
    )
    partial = (may_be_patch and has_directive(value)) or lacks_what_wholes_have(value, violations)
    findings.begin(manifest.document, value, within=manifest.path, partial=partial)
    _check_kind(value, findings)
    check_workload(value, findings)
    check_api_rules(value, findings, whole=not findings.partial)
    for path, code, message in violations:
        # One warning for one fault: the messages of our rules say more than the schema's.
        if not findings.knows(path) and not (path and is_directive(path[-1])):
            findings.add(path, code, message)


def _check_kind(value: dict[str, Value], findings: ValueFindings) -> None:
    """Report a document that was plainly meant to be an object of Kubernetes, but has no kind."""
    kind = value.get("kind")
    if kind is None:
        if ("apiVersion" in value and "spec" in value) or isinstance(value.get("Kind"), str):
            findings.add(
                (), "not_a_job", "The document has no kind, so it is not a Kubernetes object."
            )
    elif isinstance(kind, str) and kind != "Job" and kind.lower() == "job":
        findings.add(("kind",), "not_a_job", f"Kubernetes has no kind {excerpt(kind)}; write Job.")
