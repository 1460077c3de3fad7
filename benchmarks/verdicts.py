"""Errors and warnings of the validation for every hundred files of real repositories, by code.

    python benchmarks/verdicts.py PATH… [--type content|job] [--examples 3] [--code CODE]

A PATH is a folder, or a git repository, whose files at HEAD are read. Every YAML and JSON file is
validated as the service does: YAML with a workload's kind as a Job file, other files as settings,
each also against the files that it names. `--type job` validates all YAML as in a job folder. Files
that are binary or not UTF-8 are left out. With `--code`, only problems of that code are listed as
examples.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT)]

from benchmark_manager.domain.sync.classification import (
    format_of,
    skip_reason_of_content,
    type_by_content,
)
from benchmark_manager.domain.validation.across import check_across, references
from benchmark_manager.models.original import FileType
from benchmark_manager.models.problem import Problem
from benchmark_manager.services.texts.text_work import judge
from benchmarks.harness.report import print_table

_MAX_SIZE: Final = 1024 * 1024


@dataclass
class Tally:
    """The verdicts on the files of one repository."""

    files: int = 0
    job_files: int = 0
    validities: Counter[str] = field(default_factory=Counter)
    invalid: list[str] = field(default_factory=list)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    files_with: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, path: str, validity: str, problems: tuple[Problem, ...], most: int) -> None:
        """Count the verdict on one file."""
        self.validities[validity] += 1
        if validity == "invalid":
            self.invalid.append(path)
        found = Counter((problem.severity, problem.code) for problem in problems)
        self.codes += found
        self.files_with.update(found.keys())
        for problem in problems:
            listed = self.examples[problem.code]
            if len(listed) < most:
                listed.append(f"{path}:{problem.line or 0}: {problem.message}")


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    repository = subprocess.run(
        ["git", "-C", str(path), "rev-parse", "--is-bare-repository"],
        capture_output=True,
        check=False,
    )
    if repository.returncode == 0 and repository.stdout.strip() == b"true":
        yield from _committed(path)
    else:
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.is_symlink() and format_of(file.name) is not None:
                yield str(file.relative_to(path)), file.read_bytes()


def _committed(repository: Path) -> Iterator[tuple[str, bytes]]:
    git = ["git", "-C", str(repository)]
    listed = subprocess.run(
        [*git, "ls-tree", "-r", "-z", "HEAD"], capture_output=True, check=True
    ).stdout
    entries = [
        entry.partition("\t") for entry in listed.decode("utf-8", "surrogateescape").split("\0")
    ]
    wanted = [
        (path, head.split()[2])
        for head, _, path in entries
        if head[:4] == "1006" or head[:6] == "100755"
    ]
    wanted = [(path, sha) for path, sha in wanted if format_of(path) is not None]
    asked = "".join(f"{sha}\n" for _, sha in wanted).encode()
    # A partial clone may lack some files, which are not fetched.
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1"}
    command = [*git, "cat-file", "--batch"]
    answer = subprocess.run(
        command, input=asked, capture_output=True, check=True, env=environment
    ).stdout
    at = 0
    for path, _ in wanted:
        end = answer.index(b"\n", at)
        words = answer[at:end].split()
        at = end + 1
        if len(words) == 3:
            size = int(words[2])
            yield path, answer[at : at + size]
            at += size + 1


def _type(path: str, text: str, how: Literal["content", "job"]) -> FileType:
    if format_of(path) == "json":
        return "config"
    return "job" if how == "job" else type_by_content(text)


def tally(path: Path, how: Literal["content", "job"], most: int) -> Tally:
    """Validate every file of a folder or repository, also against the others that it names."""
    found = Tally()
    texts = {
        name: data.decode()
        for name, data in _files(path)
        if len(data) <= _MAX_SIZE and skip_reason_of_content(data) is None
    }
    for name, text in texts.items():
        file_format = format_of(name)
        if file_format is None:
            continue
        file_type = _type(name, text, how)
        verdict = judge(text, file_format, file_type)
        wanted = references(text, name, file_format, file_type, texts)
        others = {other: texts[other] for other in wanted}
        problems = check_across(text, name, file_format, file_type, others, paths=texts)
        found.files += 1
        found.job_files += file_type == "job"
        found.add(name, verdict.validity, (*verdict.problems, *problems), most)
    return found


def _print(path: Path, found: Tally, code: str | None) -> None:
    title = f"{path}: {found.files} files, {found.job_files} of type job; {dict(found.validities)}"
    rows = []
    for (severity, name), count in sorted(found.codes.items()):
        share = 100 * count / max(found.files, 1)
        rows.append(
            [severity, name, str(count), str(found.files_with[severity, name]), f"{share:.1f}"]
        )
    print_table(title, ["severity", "code", "problems", "files", "per 100 files"], rows, left=2)
    for name in sorted(found.invalid):
        print(f"  invalid: {name}")
    for name, listed in sorted(found.examples.items()):
        if code is None or code == name:
            for line in listed:
                print(f"  {name}: {line}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--type", choices=["content", "job"], default="content")
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--code")
    arguments = parser.parse_args()
    totals = Tally()
    for path in arguments.paths:
        found = tally(path, arguments.type, arguments.examples)
        _print(path, found, arguments.code)
        totals.files += found.files
        totals.job_files += found.job_files
        totals.validities += found.validities
        totals.codes += found.codes
        totals.files_with += found.files_with
    _print(Path("all"), totals, arguments.code)


if __name__ == "__main__":
    main()
