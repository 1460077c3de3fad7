"""Validate a text: the entry point of all checks of one file."""

from typing import Final

from benchmark_manager.domain.validation.findings import Finding, Findings, Lines
from benchmark_manager.domain.validation.kubernetes.job_check import SchemaChecker, check_jobs
from benchmark_manager.domain.validation.texts.json_check import check_json
from benchmark_manager.domain.validation.texts.templates import explains_failure, first_anywhere
from benchmark_manager.domain.validation.texts.text_check import (
    check_bidi,
    check_conflict_markers,
    check_encodable,
)
from benchmark_manager.domain.validation.texts.yaml_check import YamlReport, check_yaml
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.original import FileFormat, FileType
from benchmark_manager.models.problem import Verdict


def validate(
    text: str,
    file_format: FileFormat,
    file_type: FileType | None = None,
    *,
    kubernetes: SchemaChecker | None = None,
) -> Verdict:
    """Return the verdict on one content, in time proportional to its length; never raise.

    Args:
        text: the content, decoded, with or without a byte order mark.
        file_format: the language that it must be written in.
        file_type: `job` adds the checks of manifests; `config`, or None for unknown, expects one
            document.
        kubernetes: the schemas that manifests are checked against; None skips that check.

    Returns:
        A verdict with at most 100 problems in order of position. `invalid` has at least one error;
        `valid` and `template` have warnings only.
    """
    body = text.removeprefix(BYTE_ORDER_MARK)
    findings = Findings(Lines(body))
    check_encodable(body, findings)
    if findings.errors:
        return Verdict(validity="invalid", problems=findings.problems())
    check_bidi(body, findings)
    check_conflict_markers(body, findings)
    if file_format == "json":
        has_mark = len(body) != len(text)
        template_at = _json_template(body, findings, has_mark=has_mark)
    else:
        template_at = _yaml_template(body, findings, file_type, kubernetes)
    return _verdict(findings, template_at)


_FLAWLESS: Final = Verdict(validity="valid")


def _verdict(findings: Findings, template_at: int | None) -> Verdict:
    if template_at is None:
        if not findings.errors and not findings.warnings:
            return _FLAWLESS
        return Verdict(
            validity="invalid" if findings.errors else "valid", problems=findings.problems()
        )
    # A template need not parse: what fails now may be right after it is rendered.
    message = "This is a template; it must be rendered before it can be read."
    findings.demote_errors(Finding("warning", "template", message, template_at))
    return Verdict(validity="template", problems=findings.problems())


def _json_template(body: str, findings: Findings, *, has_mark: bool) -> int | None:
    if has_mark:
        # RFC 8259, section 8.1: a writer must not add one, a reader may ignore it.
        findings.warning(
            "byte_order_mark",
            "The JSON begins with a byte order mark, which strict parsers refuse.",
            0,
        )
    if check_json(body, findings):
        return None
    template_at = first_anywhere(body)
    _excuse(template_at, body, findings)
    return template_at


def _yaml_template(
    body: str, findings: Findings, file_type: FileType | None, kubernetes: SchemaChecker | None
) -> int | None:
    report = check_yaml(body, findings)
    template_at = report.template_at
    if not report.parses:
        template_at = _earliest(report.template_at, first_anywhere(body))
        _excuse(template_at, body, findings)
    if template_at is None and not findings.errors:
        _documents(report, findings, file_type)
        if file_type == "job" and report.documents > report.empty_documents:
            check_jobs(body, findings, kubernetes)
    return template_at


def _excuse(template_at: int | None, body: str, findings: Findings) -> None:
    """Drop the error that ended the parsing (the last one) if marks of a template caused it."""
    if (
        template_at is not None
        and findings.errors
        and explains_failure(body, findings.errors[-1].index)
    ):
        findings.errors.pop()


def _earliest(*indexes: int | None) -> int | None:
    return min((index for index in indexes if index is not None), default=None)


def _documents(report: YamlReport, findings: Findings, file_type: FileType | None) -> None:
    if report.documents == report.empty_documents:
        findings.warning("empty", "The file is empty: it has no content, or only null.", None)
    # Programs that read Kubernetes' objects accept any number of them.
    are_objects = report.documents == report.objects + report.empty_documents
    if report.documents > 1 and file_type != "job" and not are_objects:
        findings.warning(
            "multi_document",
            f"The file has {report.documents} documents; a program that reads one "
            "fails or ignores the others.",
            None,
        )
