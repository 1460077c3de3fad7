"""Merges of variants in real histories, compared with `git merge-file` and the edits made.

    python benchmarks/merging.py REPOSITORY [FOLDER ...] [--files 200] [--pairs 2] [--seed 1]
    [--show 20]

REPOSITORY is a git repository, bare or not; only its history is read. For each YAML and JSON file
in the folders, pairs of versions are base and theirs. Mine is the base with one edit such as people
make (a value, with or without a comment, an added or removed key or item, a new name, a comment),
or another version of the file. Every result is read with PyYAML and compared with theirs with that
edit; comments are found by PyYAML's tokens. Equal seeds give equal triples.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT)]

from benchmark_manager.domain.merge import merge
from benchmark_manager.models.original import FileFormat
from benchmarks.harness.person_edits import Edit, edits
from benchmarks.harness.report import print_table, say
from benchmarks.harness.yaml_leaves import (
    Leaf,
    LeafPath,
    comments,
    compose,
    leaves,
    names_twice,
    repeats,
)

_ENDINGS: Final[dict[str, FileFormat]] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}
_MOST_CHARACTERS: Final = 200_000


# --- the history ----------------------------------------------------------------------------------


def _git(repository: Path, *arguments: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, check=True
    ).stdout


def versions(repository: Path, folders: Sequence[str]) -> dict[str, list[str]]:
    """Return the blob ids of each file, oldest first, without repetitions in a row."""
    raw = _git(
        repository,
        "log",
        "--all",
        "--reverse",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        "--format=",
        "-z",
        "--",
        *folders,
    )
    parts = raw.decode("utf-8", "replace").split("\0")
    found: dict[str, list[str]] = {}
    for head, path in zip(parts[::2], parts[1::2], strict=False):
        fields = head.lstrip("\n").split(" ")
        if (
            Path(path).suffix.lower() not in _ENDINGS
            or len(fields) != 5
            or not fields[1].startswith("100")
        ):
            continue
        ids = found.setdefault(path, [])
        if not ids or ids[-1] != fields[3]:
            ids.append(fields[3])
    return {path: ids for path, ids in sorted(found.items()) if len(ids) > 1}


def _text(repository: Path, blob: str) -> str | None:
    try:
        return _git(repository, "cat-file", "blob", blob).decode()
    except (subprocess.CalledProcessError, UnicodeDecodeError):
        return None


# --- one triple -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Triple:
    """The three texts of a merge; `name` says where they are from."""

    name: str
    base: str
    theirs: str
    edit: Edit
    format: FileFormat


def git_merge(folder: Path, triple: Triple) -> str | None:
    texts = {"base": triple.base, "theirs": triple.theirs, "mine": triple.edit.text}
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    done = subprocess.run(
        ["git", "merge-file", "-p", "mine", "base", "theirs"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.stdout.decode() if done.returncode == 0 else None


def reason(triple: Triple, clean: str) -> str:
    """Return why a merge that is clean for git may be a conflict, or "unexplained"."""
    texts = (triple.base, triple.theirs, triple.edit.text)
    if all(compose(text) is not None for text in texts) and compose(clean) is None:
        return "does not parse"
    if repeats(clean) and not any(map(repeats, texts)):
        return "a key twice"
    if names_twice(clean) - names_twice(triple.theirs) - names_twice(triple.edit.text):
        return "a name twice"
    return "a value of both" if _takes_one(texts, clean) else "unexplained"


def _takes_one(texts: tuple[str, str, str], clean: str) -> bool:
    base, theirs, mine, result = (
        {leaf.path: leaf.value for leaf in leaves(text) or ()} for text in (*texts, clean)
    )
    return any(
        len({base.get(path), theirs.get(path), mine.get(path)}) == 3
        and result.get(path) in {theirs.get(path), mine.get(path)}
        for path in base.keys() | theirs.keys() | mine.keys()
        if not any(isinstance(step, int) for step in path[1:])
    )


def loses_comment(triple: Triple, content: str) -> bool:
    if triple.edit.comment is not None:
        return not comments(content)[triple.edit.comment]
    base, theirs, mine, result = map(
        comments, (triple.base, triple.theirs, triple.edit.text, content)
    )
    return any(
        result[comment] < min(mine[comment], theirs[comment] + mine[comment] - base[comment])
        for comment in mine - base
    )


def loses_common_comment(triple: Triple, content: str) -> bool:
    """Return whether a comment of all three texts occurs less often in the result."""
    base, theirs, mine, result = map(
        comments, (triple.base, triple.theirs, triple.edit.text, content)
    )
    return any(
        result[comment] < min(mine[comment], theirs[comment]) for comment in base & theirs & mine
    )


def differs(triple: Triple, content: str) -> bool | None:
    """Return whether a result is not theirs with the edit; None if that is unknown."""
    after, made = leaves(triple.theirs), leaves(content)
    if after is None or any(map(repeats, (triple.base, triple.theirs, triple.edit.text))):
        return None
    if made is None:
        return True
    if triple.edit.gone is None:
        return _differs_by_path(triple, content)
    edited = _change(leaves(triple.base) or [], leaves(triple.edit.text) or [])
    written = _change(after, made)
    if not any(written) and any(edited):
        # Upstream made the same change.
        return not _has(triple.theirs, triple.edit)
    return written != edited


def _change(
    before: Sequence[Leaf], after: Sequence[Leaf]
) -> tuple[Counter[LeafPath], Counter[LeafPath]]:
    """Return the removed and added values, with their keys, without quotes or empty collections."""
    old, new = (
        Counter((_key(leaf), leaf.value[1]) for leaf in side if leaf.value[1])
        for side in (before, after)
    )
    return old - new, new - old


def _key(leaf: Leaf) -> str | None:
    step = leaf.path[-1]
    return step if isinstance(step, str) else None


def _has(theirs: str, edit: Edit) -> bool:
    values = {leaf.path: leaf.value[1] for leaf in leaves(theirs) or ()}
    return values.get(edit.path or ()) == (edit.come[0] if edit.come else None)


def _differs_by_path(triple: Triple, content: str) -> bool | None:
    """Return whether a path has another value than the side that changed it, or than the base."""
    texts = (triple.base, triple.theirs, triple.edit.text, content)
    base, theirs, mine, result = (
        {leaf.path: leaf.value for leaf in leaves(text) or ()} for text in texts
    )
    for path in base.keys() | theirs.keys() | mine.keys():
        if any(isinstance(step, int) for step in path[1:]) or any(
            path[:n] in side for side in (base, theirs, mine) for n in range(len(path))
        ):
            continue
        one, two, three = base.get(path), theirs.get(path), mine.get(path)
        expected = two if three in {one, two} else three
        if (two == one or three in {one, two}) and result.get(path) != expected:
            return True
    return False


@dataclass
class Counts:
    """The outcomes of all triples of a repository."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    shown: int = 20

    def add(self, triple: Triple, folder: Path) -> None:
        clean = git_merge(folder, triple)
        found = merge(triple.base, triple.theirs, triple.edit.text, triple.format)
        self.outcomes["triples"] += 1
        self.outcomes[f"{'clean' if clean is not None else 'conflict'}, {found.outcome}"] += 1
        if found.content is None:
            if clean is not None:
                why = reason(triple, clean)
                self.reasons[why] += 1
                self._show(why, triple)
            return
        self._check("comment lost", triple, is_wrong=loses_comment(triple, found.content))
        self._check(
            "common comment lost", triple, is_wrong=loses_common_comment(triple, found.content)
        )
        wrong = differs(triple, found.content)
        self.outcomes["checked"] += wrong is not None
        self._check("differs", triple, is_wrong=bool(wrong) and found.content != clean)
        self._check("differs as git's", triple, is_wrong=bool(wrong) and found.content == clean)
        if not any(map(repeats, (triple.base, triple.theirs, triple.edit.text))):
            twice = (
                names_twice(found.content)
                - names_twice(triple.theirs)
                - names_twice(triple.edit.text)
            )
            self._check("twice", triple, is_wrong=bool(twice) or repeats(found.content))

    def _check(self, what: str, triple: Triple, *, is_wrong: bool) -> None:
        if is_wrong:
            self.outcomes[what] += 1
            self._show(what, triple)

    def _show(self, what: str, triple: Triple) -> None:
        if self.shown > 0:
            self.shown -= 1
            say(f"{what}: {triple.name}: {triple.edit.kind}")


def triples(
    repository: Path, path: str, ids: Sequence[str], pairs: int, rng: random.Random
) -> Iterator[Triple]:
    file_format = _ENDINGS[Path(path).suffix.lower()]
    candidates = [*pairwise(range(len(ids))), *((0, n) for n in range(2, len(ids)))]
    for one, two in sorted(rng.sample(candidates, min(pairs, len(candidates)))):
        base, theirs = _text(repository, ids[one]), _text(repository, ids[two])
        if (
            base is None
            or theirs is None
            or max(len(base), len(theirs)) > _MOST_CHARACTERS
            or base == theirs
        ):
            continue
        name = f"{path} {ids[one][:10]} {ids[two][:10]}"
        others = [n for n in range(len(ids)) if n not in {one, two}]
        for number in rng.sample(others, min(2, len(others))):
            mine = _text(repository, ids[number])
            if mine is not None and mine not in {base, theirs}:
                edit = Edit("another version", mine, gone=None)
                yield Triple(f"{name} {ids[number][:10]}", base, theirs, edit, file_format)
        for edit in edits(base, file_format, rng):
            if compose(edit.text) is not None and edit.text != base:
                yield Triple(name, base, theirs, edit, file_format)


def measure(
    repository: Path, folders: Sequence[str], options: argparse.Namespace
) -> tuple[int, Counts]:
    found = versions(repository, folders)
    rng = random.Random(options.seed)  # noqa: S311  nothing secret
    paths = sorted(rng.sample(sorted(found), min(options.files, len(found))))
    counts = Counts(shown=options.show)
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths):
            own = random.Random(f"{options.seed} {path}")  # noqa: S311  nothing secret
            for triple in triples(repository, path, found[path], options.pairs, own):
                counts.add(triple, Path(folder))
            if number % 100 == 0:
                say(f"{number} of {len(paths)} files")
    return len(paths), counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "repository", type=Path, nargs="?", help="a git repository; without it nothing is measured"
    )
    parser.add_argument("folders", nargs="*", default=["."])
    parser.add_argument("--files", type=int, default=200, help="files at most, chosen by chance")
    parser.add_argument("--pairs", type=int, default=2, help="pairs of versions of each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--show", type=int, default=20, help="how many triples are named that went wrong"
    )
    options = parser.parse_args()
    if options.repository is None:
        say("merging.py needs a git repository")
        return
    files, counts = measure(options.repository, options.folders, options)
    rows = [
        ["files", f"{files:,}"],
        *([what, f"{count:,}"] for what, count in sorted(counts.outcomes.items())),
    ]
    rows += [
        [f"clean for git, conflict: {why}", f"{count:,}"]
        for why, count in sorted(counts.reasons.items())
    ]
    print_table(f"Merges in {options.repository.name}", ["what", "number"], rows)


if __name__ == "__main__":
    main()
