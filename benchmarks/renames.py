"""Compares the renames found in repositories' histories with those of `git log -M50%`.

    python benchmarks/renames.py REPOSITORY...

Compares all YAML and JSON files of all commits except merges, commit by commit. Prints a row for
each repository: how many renames git finds, how many are found here, how many pairs are the same;
with `--verbose` also each commit whose pairs differ.
"""

import argparse
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmark_manager.domain.sync.classification import format_of, skip_reason_of_content
from benchmark_manager.domain.sync.renames import (
    Digest,
    RenameSearch,
    best_matches,
    digest,
    similarities,
    similarity,
)
from benchmark_manager.domain.sync.tree_changes import (
    StoredFile,
    UpstreamFile,
    compare,
    with_renames,
)

FILES = ("*.yaml", "*.yml", "*.json", "*.YAML", "*.YML", "*.JSON")
REGULAR = {"100644", "100755"}


@dataclass
class RawChange:
    """One line of a raw difference."""

    status: str
    old_mode: str
    new_mode: str
    old_sha: str
    new_sha: str
    paths: list[str]


@dataclass
class RepositoryHistory:
    """A repository's history and contents, read with git."""

    path: Path
    contents: dict[str, bytes] = field(default_factory=dict)

    def changes(self, *options: str) -> dict[str, list[RawChange]]:
        """Return the raw differences by commit."""
        command = [
            "log",
            "--no-merges",
            "--format=%x00commit %H",
            "--raw",
            "-z",
            "-r",
            "--abbrev=40",
            *options,
        ]
        fields = iter(
            self._git(*command, "--", *FILES).decode("utf-8", "surrogateescape").split("\0")
        )
        found: dict[str, list[RawChange]] = defaultdict(list)
        commit = ""
        for text in fields:
            line = text.lstrip("\n")
            if line.startswith("commit "):
                commit = line.removeprefix("commit ").strip()
            elif line.startswith(":"):
                old_mode, new_mode, old_sha, new_sha, status = line[1:].split(" ")
                paths = [next(fields) for _ in range(2 if status[0] in "RC" else 1)]
                found[commit].append(RawChange(status, old_mode, new_mode, old_sha, new_sha, paths))
        return found

    def read(self, shas: set[str]) -> None:
        wanted = sorted(shas - self.contents.keys())
        data = self._git(
            "cat-file", "--batch", given="".join(f"{sha}\n" for sha in wanted).encode()
        )
        at = 0
        for sha in wanted:
            end = data.index(b"\n", at)
            size = int(data[at:end].split()[2])
            self.contents[sha] = data[end + 1 : end + 1 + size]
            at = end + 1 + size + 1

    def _git(self, *command: str, given: bytes = b"") -> bytes:
        return subprocess.run(
            ["git", "-C", str(self.path), *command], input=given, capture_output=True, check=True
        ).stdout


def found_here(repository: RepositoryHistory, changes: list[RawChange]) -> dict[str, str]:
    """Return the renames of one commit: old paths by new paths."""
    removed, added = _sides(changes)
    if not removed or not added:
        return {}
    repository.read({*removed.values(), *added.values()})
    contents = repository.contents
    stored = [
        StoredFile(path, path, sha, "config", size=len(contents[sha]))
        for path, sha in removed.items()
        if skip_reason_of_content(contents[sha]) is None
    ]
    upstream = {
        path: UpstreamFile(path, sha, len(contents[sha]), "config", format_of(path) or "yaml")
        for path, sha in added.items()
        if skip_reason_of_content(contents[sha]) is None
    }
    changed = compare(stored, upstream)
    search = RenameSearch(changed.removed, changed.added)
    _search(search, contents)
    return {new.path: old.path for old, new in with_renames(changed, search.pairs).moved}


def _sides(changes: list[RawChange]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the blob ids of the removed and of the added regular files, by path."""
    removed = {
        change.paths[0]: change.old_sha
        for change in changes
        if change.status == "D" and change.old_mode in REGULAR
    }
    added = {
        change.paths[0]: change.new_sha
        for change in changes
        if change.status == "A" and change.new_mode in REGULAR
    }
    return removed, added


def _search(search: RenameSearch, contents: dict[str, bytes]) -> None:
    digests: dict[str, Digest] = {}

    def digest_of(sha: str) -> Digest:
        if sha not in digests:
            digests[sha] = digest(contents[sha])
        return digests[sha]

    pairs = search.of_one_name()
    search.take_scores(
        pairs, similarities([(digest_of(old.sha), digest_of(new.sha)) for old, new in pairs])
    )
    for comparison in search.comparisons():
        for sha in [old.sha for old in comparison.removed] + [new.sha for new in comparison.added]:
            digest_of(sha)
        added = [file for part in comparison.slices(digests) for file in part]
        sources = [digests[old.sha] for old in comparison.removed]
        targets = [digests[new.sha] for new in added]
        search.take_matches(
            comparison, added, best_matches(sources, targets, comparison.same_name(added))
        )


def reasons(
    repository: RepositoryHistory,
    changes: list[RawChange],
    theirs: dict[str, str],
    ours: dict[str, str],
) -> Iterator[str]:
    """Yield why pairs differ."""
    shas = {
        change.paths[0]: change.old_sha if change.status == "D" else change.new_sha
        for change in changes
    }
    for new in sorted(theirs.keys() | ours.keys()):
        git, here = theirs.get(new), ours.get(new)
        if git == here:
            continue
        scores = [
            None if old is None else _score(repository, shas, old, new) for old in (git, here)
        ]
        if git is not None and format_of(git) != format_of(new):
            reason = "another format"
        elif (
            git is not None
            and shas[git] == shas[new]
            and here is not None
            and shas[here] == shas[new]
        ):
            reason = "several files have this content"
        elif scores[0] is not None and scores[0] == scores[1]:
            reason = "equally similar"
        else:
            reason = "other"
        yield f"{reason}: {new}: git {git} ({scores[0]}), here {here} ({scores[1]})"


def _score(repository: RepositoryHistory, shas: dict[str, str], old: str, new: str) -> float | None:
    if old not in shas:
        return None
    repository.read({shas[old], shas[new]})
    one, other = repository.contents[shas[old]], repository.contents[shas[new]]
    return round(similarity(digest(one), digest(other)) / 600, 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    print(f"{'repository':40} {'git':>6} {'here':>6} {'same':>6} {'differ':>6} {'seconds':>8}")
    for path in given.repositories:
        repository = RepositoryHistory(path)
        renamed = repository.changes("-M50%", "--diff-filter=R")
        moved = repository.changes("--no-renames", "--diff-filter=AD")
        theirs = {
            commit: {c.paths[1]: c.paths[0] for c in changes if c.new_mode in REGULAR}
            for commit, changes in renamed.items()
        }
        start = time.perf_counter()
        ours = {commit: found_here(repository, changes) for commit, changes in moved.items()}
        seconds = time.perf_counter() - start
        git_pairs = {(commit, *pair) for commit, pairs in theirs.items() for pair in pairs.items()}
        own_pairs = {(commit, *pair) for commit, pairs in ours.items() for pair in pairs.items()}
        differing = len({pair[:2] for pair in git_pairs ^ own_pairs})
        name = "/".join(path.parts[-3:])
        counts = len(git_pairs), len(own_pairs), len(git_pairs & own_pairs), differing
        print(f"{name[-40:]:40}", *(f"{count:6}" for count in counts), f"{seconds:8.1f}")
        if given.verbose:
            for commit in sorted({pair[0] for pair in git_pairs ^ own_pairs}):
                for reason in reasons(
                    repository, moved.get(commit, []), theirs.get(commit, {}), ours.get(commit, {})
                ):
                    print(f"  {commit[:10]} {reason}")


if __name__ == "__main__":
    main()
