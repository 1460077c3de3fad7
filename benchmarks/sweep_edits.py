"""Values set by path in real files: whether every result is right, and how long it takes.

    python benchmarks/sweep_edits.py [--files 300] [--definitions 10] [--seed 1]
    [--data ../shared/data] [--show 10]

Files are chosen by chance from all versions of the three real histories. Each gets definitions of
1 to 4 assignments by chance: values, lists and mappings of all kinds, flags of command lines, and
keys that are absent. Every result is read with PyYAML or `json` and must be the file with exactly
these values; every character outside of them must be the file's. Then the speed: one text of
100 kB, edited again and again.
"""

import argparse
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmark_manager.domain.edits import Assignment, EditableText, EditError
from benchmark_manager.models.original import FileFormat
from benchmarks.harness.report import parsed, print_table, say
from benchmarks.harness.subjects import subjects
from support.edit_chance import EditChance
from support.edit_checks import PlannedEdit, ReadText, fault_of, read_text
from support.real_repositories import real_repository

_REPOSITORIES: Final = (
    "ThakiCloud__vllm-eval-public",
    "kubernetes-sigs__inference-perf",
    "EleutherAI__lm-evaluation-harness",
)
_FORMATS: Final[dict[str, FileFormat]] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}


def _files(data: Path) -> list[tuple[str, bytes]]:
    """Return all versions of all files, each content once."""
    if not (data / "repos").is_dir():
        return [item for subject in subjects(data) for item in sorted(subject.contents.items())]
    found: dict[bytes, str] = {}
    for name in _REPOSITORIES:
        repository = real_repository(data, name)
        _, commits = repository.builder.load(str(repository.folder), None)
        for commit in commits:
            for path, (_, content) in sorted(commit["files"].items()):
                if Path(path).suffix.lower() in _FORMATS:
                    found.setdefault(content, path)
    return [(path, content) for content, path in found.items()]


@dataclass
class _Outcome:
    """What was found in all files."""

    files: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        for what, counts in (("files", self.files), ("edits", self.edits)):
            for name, count in sorted(counts.items(), key=lambda item: -item[1]):
                yield what, name, f"{count:,}"
        yield "edits", "wrong", f"{len(self.wrong):,}"


def _check(outcome: _Outcome, path: str, content: bytes, definitions: int, seed: str) -> None:
    file_format = _FORMATS[Path(path).suffix.lower()]
    chance = EditChance(f"{seed} {path} {len(content)}")
    try:
        text = content.decode()
        editable = EditableText.read(text, file_format)
    except UnicodeDecodeError:
        outcome.files["refused: not UTF-8"] += 1
        return
    except EditError as error:
        outcome.files[f"refused: {error.code} {error.reason}"] += 1
        return
    read = read_text(text, file_format, chance.random)
    if read is None:
        outcome.files["editable, but PyYAML reads no values"] += 1
        return
    if not read.targets:
        outcome.files["editable, without values"] += 1
        return
    outcome.files["editable"] += 1
    for _ in range(definitions):
        _check_edits(outcome, f"{path}", editable, read, chance.edits(read))


def _check_edits(
    outcome: _Outcome, path: str, editable: EditableText, read: ReadText, edits: list[PlannedEdit]
) -> None:
    assignments = [Assignment(edit.path, edit.value) for edit in edits]
    try:
        result = editable.edited(assignments)
    except EditError as error:
        outcome.edits[f"refused: {error.code} {error.reason}"] += 1
        if error.code != "edit_not_possible" or error.reason not in {"shared", "tag", "form"}:
            outcome.wrong.append(f"{path}: {assignments}: {error.args}")
        elif error.reason == "form":
            say(f"refused {path}: {assignments}")
        return
    outcome.edits["made"] += 1
    wrong = fault_of(read, result, edits)
    if wrong:
        outcome.wrong.append(f"{path}: {wrong}: {assignments}")


_CONTAINER: Final = """\
      - name: server-{0}   # the server
        image: "registry.example/vllm:{0}"
        args:
        - --model=meta-llama/Llama-3.1-8B
        - --max-num-seqs
        - "256"
        - --tensor-parallel-size={0}
        env:
        - {{name: HF_HOME, value: /models}}
        - name: RATE
          value: "0.9"
        resources:
          limits: {{nvidia.com/gpu: 8, memory: 64Gi}}
"""
_JOB: Final = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: bench
spec:
  parallelism: 4
  template:
    spec:
      containers:
"""


def _large() -> str:
    text = _JOB
    number = 0
    while len(text) < 100_000:
        text += _CONTAINER.format(number)
        number += 1
    return text


def _speed(rounds: int) -> list[tuple[str, ...]]:
    text = _large()
    began = time.perf_counter()
    editable = EditableText.read(text, "yaml")
    rows: list[tuple[str, ...]] = [
        ("reading it", f"{(time.perf_counter() - began) * 1000:.1f}", "")
    ]
    item = "spec.template.spec.containers[name=server-{}]"
    kinds: dict[str, Callable[[int], list[Assignment]]] = {
        "a number": lambda n: [Assignment("spec.parallelism", n + 5)],
        "a number, a string and two flags": lambda n: [
            Assignment("spec.parallelism", n + 5),
            Assignment(f"{item.format(n)}.image", f"vllm:{n}.1"),
            Assignment(f"{item.format(n)}.args[--max-num-seqs]", n + 1000),
            Assignment(f"{item.format(n)}.args[--tensor-parallel-size]", n + 1000),
        ],
        "an absent key": lambda n: [Assignment(f"{item.format(0)}.extra.depth?", n)],
        "a list": lambda n: [Assignment(f"{item.format(0)}.args", [f"--seed={n}"])],
    }
    for name, made in kinds.items():
        times = []
        for number in range(rounds):
            began = time.perf_counter()
            editable.edited(made(number))
            times.append((time.perf_counter() - began) * 1000)
        rows.append((name, f"{statistics.median(times):.2f}", f"{max(times):.2f}"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--definitions", type=int, default=10, help="of each file")
    parser.add_argument("--rounds", type=int, default=30, help="of each kind of edit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="wrong results that are shown")
    parser.add_argument("--data", type=Path, default=_ROOT.parent / "shared/data")
    given = parsed(parser, files=300, rounds=100)
    files = _files(given.data)
    say(f"{len(files):,} contents")
    chance = random.Random(given.seed)  # noqa: S311 -- a choice, no secret
    outcome = _Outcome()
    for path, content in chance.sample(files, min(given.files, len(files))):
        _check(outcome, path, content, given.definitions, str(given.seed))
    print_table("Values set by path in real files", ("", "", "number"), outcome.rows(), left=2)
    for one in outcome.wrong[: given.show]:
        say(f"wrong: {one[:1000]}")
    print_table("A text of 100 kB", ("edit", "ms (median)", "ms (worst)"), _speed(given.rounds))
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
