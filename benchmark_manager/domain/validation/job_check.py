"""What a file in the job folder must say before Kubernetes' own schema is worth asking.

Warnings, never errors: whether a manifest is accepted is for the cluster to say, and a verdict's
errors mean that the text itself cannot be read.
"""

import re
from typing import Final

from benchmark_manager.domain.manifest_outline import Entry, Outline, outlines
from benchmark_manager.domain.validation.findings import Findings, excerpt
from benchmark_manager.domain.yaml_events import prepare
from benchmark_manager.domain.yaml_scalars import resolve

# RFC 1123 subdomain: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MAX_NAME: Final = 253
_NAME: Final = ("metadata", "name")
_GENERATE_NAME: Final = ("metadata", "generateName")


def check_jobs(text: str, findings: Findings) -> None:
    """Check the documents of a text which parses."""
    found = outlines(prepare(text).parsed)
    jobs = [outline for outline in found if outline.text("kind") == "Job" and _is_batch(outline)]
    for job in jobs:
        _check_job(job, findings)
    if not jobs and found:
        kinds = sorted({excerpt(kind) for outline in found if (kind := outline.text("kind"))})
        seen = f"; found: {', '.join(kinds[:5])}" if kinds else ""
        findings.warning("not_a_job", f"No document is a Job of batch/v1{seen}.", None)


def _is_batch(outline: Outline) -> bool:
    """A Job without `apiVersion` is taken for one of `batch`, and told so."""
    version = outline.entries.get(("apiVersion",))
    return version is None or (version.text or "").startswith("batch/")


def _check_job(job: Outline, findings: Findings) -> None:
    if ("apiVersion",) not in job.entries:
        findings.warning("api_version_missing", "The Job has no apiVersion; it needs batch/v1.", job.index)
    if ("spec",) not in job.entries:
        findings.warning("job_spec_missing", "The Job has no spec.", job.index)
    name = job.entries.get(_NAME)
    if name is not None:
        _check_name(name, findings)
    elif _GENERATE_NAME not in job.entries:
        findings.warning("job_name_missing", "The Job has neither metadata.name nor metadata.generateName.", job.index)


def _check_name(name: Entry, findings: Findings) -> None:
    if name.text is None:
        return
    if name.plain and resolve(name.text)[0] != "str":
        findings.warning("job_name_invalid", f"The Job's name {excerpt(name.text)} is no string; quote it.", name.index)
    elif len(name.text) > _MAX_NAME or not _SUBDOMAIN.fullmatch(name.text):
        findings.warning(
            "job_name_invalid",
            f"Kubernetes refuses the Job's name {excerpt(name.text)}: it may hold lower-case letters, digits, "
            f"`-` and `.`, begins and ends with a letter or digit, and has at most {_MAX_NAME} characters.",
            name.index,
        )
