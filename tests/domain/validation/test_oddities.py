"""Every hand-made oddity gets the answer which its index gives, or one which it allows."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmark_manager.domain.sync.classification import (
    candidate,
    format_of,
    skip_reason_of_content,
    skip_reason_of_entry,
)
from benchmark_manager.domain.validation import validate

ODDITIES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "oddities"
pytestmark = pytest.mark.skipif(
    not (ODDITIES / "index.json").exists(), reason="the oddities are not beside the checkout"
)

# The rule "values which YAML versions take differently are warnings" goes before "accept".
AMBIGUOUS = {"config/yaml11-booleans.yaml", "config/sexagesimal-octal.yaml"}
# Readers disagree about a byte order mark in JSON: accepted, but not without a word.
MARKED = {"config/bom.json"}
# Tags for Python are an application's, and a file beside Jobs need not be one: no word is said of
# either.
PYTHON = {"config/python-tag.yaml", "config/python-call-tag.yaml"}
BESIDE_JOBS = {
    *("jobs/cronjob.yaml", "jobs/job-nested-in-experiment.yaml", "jobs/job-in-comment.yaml"),
    *(
        "jobs/job-in-block-text.yaml",
        "jobs/job-other-api.yaml",
        "jobs/deployment.yaml",
        "jobs/pod.yaml",
    ),
    *(
        "jobs/service.yaml",
        "jobs/kustomization.yaml",
        "jobs/Chart.yaml",
        "jobs/values.yaml",
        "jobs/top-list-patch.yaml",
    ),
}
SKIPPED_CLASSES = {"too-large", "binary", "not-utf8", "lfs-pointer", "symlink"}
CODES = {
    "empty": "empty",
    "not-a-mapping": "not_a_mapping",
    "multi-document": "multi_document",
    "duplicate-keys": "duplicate_key",
    "template": "template",
    "recursive-alias": "recursive_alias",
    "alias-bomb": "alias_bomb",
    "deep-nesting": "too_deep",
    "nul-escape": "nul_escape",
    "lone-surrogate": "lone_surrogate",
    "not-a-job": "not_a_job",
}


@dataclass(frozen=True)
class OddityOutcome:
    action: str
    reason: str | None = None
    codes: frozenset[str] = frozenset()


def index() -> list[dict[str, Any]]:
    if not (ODDITIES / "index.json").exists():
        return []
    files: list[dict[str, Any]] = json.loads((ODDITIES / "index.json").read_text("utf-8"))["files"]
    return files


def path_of(entry: dict[str, Any]) -> str:
    return (
        os.fsdecode(bytes.fromhex(entry["path_hex"])) if "path_hex" in entry else str(entry["path"])
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, bytes]]:
    """Mode and bytes of every path in the git repository that the oddities' generator builds."""
    repository = tmp_path_factory.mktemp("oddities") / "out.git"
    command = [sys.executable, str(ODDITIES / "generate.py"), "--git", str(repository)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    git = ["git", f"--git-dir={repository}"]
    listing = subprocess.run(
        [*git, "ls-tree", "-r", "-z", "main"], check=True, capture_output=True
    ).stdout
    found: dict[str, tuple[str, bytes]] = {}
    for line in listing.rstrip(b"\x00").split(b"\x00"):
        head, _, name = line.partition(b"\t")
        mode, kind, sha = head.decode().split()
        data = b""
        if kind == "blob":
            data = subprocess.run(
                [*git, "cat-file", "blob", sha], check=True, capture_output=True
            ).stdout
        found[os.fsdecode(name)] = mode, data
    return found


def answer(path: str, mode: str, data: bytes) -> OddityOutcome:
    file_type = candidate(path, mode, "config", "jobs")
    file_format = format_of(path)
    if file_type is None or file_format is None:
        return OddityOutcome("ignore")
    assert file_type != "by_content"
    reason = skip_reason_of_entry(mode, len(data), 1_048_576, path=path) or skip_reason_of_content(
        data
    )
    if reason is not None:
        return OddityOutcome("refuse", reason)
    verdict = validate(data.decode(), file_format, file_type)
    codes = frozenset(p.code for p in verdict.problems)
    if verdict.validity != "valid":
        return OddityOutcome("refuse", codes=codes)
    return OddityOutcome("warn" if codes else "accept", codes=codes)


@pytest.mark.parametrize("entry", [pytest.param(e, id=ascii(e["path"])[:60]) for e in index()])
def test_oddity(entry: dict[str, Any], tree: dict[str, tuple[str, bytes]]) -> None:
    path = path_of(entry)
    found = answer(path, *tree[path])
    allowed = {entry["action"], *entry.get("either", [])}
    if path in AMBIGUOUS | MARKED:
        assert found == OddityOutcome(
            "warn", codes=frozenset({"ambiguous_value" if path in AMBIGUOUS else "byte_order_mark"})
        )
        return
    if path in PYTHON | BESIDE_JOBS:
        assert found == OddityOutcome("accept")
        return
    assert found.action in allowed
    if found.action == "ignore":
        return
    # UTF-16 holds NUL, which the contract calls binary.
    if entry["class"] in SKIPPED_CLASSES and path != "config/utf16-le.yaml":
        assert found.reason == entry["class"].replace("-", "_")
    if found.action != "accept" and entry["class"] in CODES:
        assert CODES[entry["class"]] in found.codes


def test_every_file_of_the_index_is_there(tree: dict[str, tuple[str, bytes]]) -> None:
    assert {path_of(entry) for entry in index()} == set(tree)
