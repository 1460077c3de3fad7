"""Files in the job folder, document by document: Kubernetes' schemas, and the rules beside them.

Warnings, never errors: whether a manifest is accepted is for the cluster to say, and a verdict's
errors mean that the text itself cannot be read.
"""

from typing import Final, Protocol

from benchmark_manager.domain.validation.api_server import check_api_rules
from benchmark_manager.domain.validation.complaints import Complaints, Violation, mapping
from benchmark_manager.domain.validation.findings import Findings, excerpt
from benchmark_manager.domain.validation.plain_values import kubernetes_value
from benchmark_manager.domain.validation.workload_check import check_workload, is_job
from benchmark_manager.domain.validation.yaml_values import (
    MAX_CHARACTERS,
    MAX_VALUES,
    Document,
    TooManyValuesError,
    Value,
    build,
)
from benchmark_manager.domain.yaml_events import prepare

_KINDS_SHOWN: Final = 5


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
    if not any(is_job(document.value) for document in documents):
        _no_job(documents, findings)
    complaints = Complaints()
    for number, document in enumerate(documents):
        complaints.document = number
        check_workload(document.value, complaints)
        check_api_rules(document.value, complaints)
        if schemas is not None and not complaints.full:
            _check_schema(document, schemas, complaints)
    complaints.tell(parsed, kubernetes_value, findings)


def _no_job(documents: list[Document], findings: Findings) -> None:
    kinds = {kind for document in documents if isinstance(kind := mapping(document.value).get("kind"), str) and kind}
    shown = sorted(map(excerpt, kinds))[:_KINDS_SHOWN]
    seen = f"; found: {', '.join(shown)}" if shown else ""
    findings.warning("not_a_job", f"No document is a Job of batch/v1{seen}.", None)


def _check_schema(document: Document, schemas: SchemaChecker, complaints: Complaints) -> None:
    if not isinstance(document.value, dict):
        return
    for path, code, message in schemas.violations(document.value, document.size):
        # One fault, one warning: the rules beside the schema say what to do about it.
        if not complaints.knows(path):
            complaints.add(path, code, message)
