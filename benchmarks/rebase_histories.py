"""How many variants can be rebased along a real repository's history without a person.

    python benchmarks/rebase_histories.py REPOSITORY OLD NEW [--seeds 1]

REPOSITORY is a git repository, OLD and NEW are two of its commits. For every YAML or JSON file
that changed between them, a variant is made: the older text with one randomly chosen value changed.
It is merged with the newer text. Every result is read with PyYAML and must have upstream's values
with that one value changed. Prints a table.
"""

import argparse
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT)]

from benchmark_manager.domain.merge import merge
from benchmark_manager.models.original import FileFormat
from benchmarks.harness.report import print_table, say
from benchmarks.harness.yaml_leaves import Leaf, LeafPath

_ENDINGS: Final[dict[str, FileFormat]] = {".yaml": "yaml", ".yml": "yaml", ".json": "json"}
_NEW_VALUE: Final = '"changed by a person"'
_MARK: Final = "\ufeff"


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), "-c", "core.quotePath=false", *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def _changed(repository: Path, old: str, new: str) -> list[str]:
    found = _git(
        repository, "diff", "--name-only", "--no-renames", "--diff-filter=M", "-z", old, new
    )
    return [path for path in found.split("\0") if Path(path).suffix.lower() in _ENDINGS]


def leaves(text: str) -> list[Leaf] | None:
    """Return every value of a text in order, as PyYAML reads it; None if it cannot."""
    try:
        documents = list(yaml.compose_all(text.removeprefix(_MARK), yaml.SafeLoader))
    except (yaml.YAMLError, ValueError):
        return None
    shift = len(text) - len(text.removeprefix(_MARK))
    return [
        leaf for number, node in enumerate(documents) for leaf in _leaves(node, (number,), shift)
    ]


def _leaves(node: yaml.Node | None, path: LeafPath, shift: int) -> Iterator[Leaf]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _leaves(value, (*path, (key.tag, str(key.value))), shift)
    elif isinstance(node, yaml.SequenceNode):
        names = [_name(item) for item in node.value]
        is_named = None not in names and len(set(names)) == len(names)
        for number, item in enumerate(node.value):
            yield from _leaves(item, (*path, names[number] if is_named else number), shift)
    elif isinstance(node, yaml.ScalarNode):
        start, end = node.start_mark.index + shift, node.end_mark.index + shift
        yield Leaf(
            path, (node.tag, node.value), start, end, node.style not in {"|", ">"} and start < end
        )


def _name(item: yaml.Node) -> str | None:
    entries = item.value if isinstance(item, yaml.MappingNode) else []
    return next((str(value.value) for key, value in entries if key.value == "name"), None)


def _outcome(
    old: str, new: str, file_format: FileFormat, chance: random.Random
) -> tuple[str, str] | None:
    """Return one variant's outcome, and whether upstream kept the value.

    None is returned if no value can be changed.
    """
    before, after = leaves(old), leaves(new)
    candidates = [leaf for leaf in before or () if leaf.is_plain]
    if not candidates or after is None:
        return None
    leaf = chance.choice(candidates)
    found = merge(old, new, f"{old[: leaf.start]}{_NEW_VALUE}{old[leaf.end :]}", file_format)
    theirs = [(other.path, other.value) for other in after]
    unit = "same" if theirs.count((leaf.path, leaf.value)) == 1 else "moved"
    if found.content is None:
        return "conflict", unit
    return (found.outcome if _is_right(found.content, after, leaf) else "wrong"), unit


def _is_right(content: str, after: list[Leaf], leaf: Leaf) -> bool:
    """Return whether a text has all of upstream's values except the changed one."""
    made = leaves(content)
    if made is None or len(made) != len(after):
        return False
    pairs = [
        (one.value, two.value)
        for one, two in zip(after, made, strict=True)
        if one.value != two.value
    ]
    return pairs == [(leaf.value, ("tag:yaml.org,2002:str", _NEW_VALUE.strip('"')))]


def _row(repository: Path, old: str, new: str, seeds: int) -> list[str]:
    paths = _changed(repository, old, new)
    counts: Counter[tuple[str, str]] = Counter()
    without = 0
    for number, path in enumerate(paths):
        texts = [_git(repository, "show", f"{commit}:{path}") for commit in (old, new)]
        file_format = _ENDINGS[Path(path).suffix.lower()]
        for seed in range(seeds):
            chance = random.Random(f"{path} {seed}")  # noqa: S311 -- a choice, no secret
            made = _outcome(texts[0], texts[1], file_format, chance)
            counts.update([] if made is None else [made])
            without += made is None
            if made is not None and made[0] == "wrong":
                say(f"wrong: {path}, seed {seed}")
        if number % 100 == 0:
            say(f"{number} of {len(paths)} files")
    same = sum(count for (_, unit), count in counts.items() if unit == "same")
    clean = sum(counts[way, "same"] for way in ("text", "keys"))
    cells = [
        len(paths),
        without,
        same,
        counts["text", "same"],
        counts["keys", "same"],
        counts["conflict", "same"],
    ]
    moved = sum(counts[way, "moved"] for way in ("text", "keys")), counts["conflict", "moved"]
    wrong = sum(counts["wrong", unit] for unit in ("same", "moved"))
    share = f"{100 * clean / same:.1f} %" if same else "-"
    return [
        f"{repository.name} {old} to {new}",
        *(f"{n:,}" for n in cells),
        share,
        *map(str, moved),
        str(wrong),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "repository", type=Path, nargs="?", help="a git repository; without it nothing is measured"
    )
    parser.add_argument("old", nargs="?", default="HEAD~1")
    parser.add_argument("new", nargs="?", default="HEAD")
    parser.add_argument("--seeds", type=int, default=1, help="variants of each file")
    options = parser.parse_args()
    if options.repository is None:
        say("rebase_histories.py needs a git repository and two of its commits")
        return
    head = [
        "history",
        "files changed",
        "not read by PyYAML",
        "value left alone upstream",
        "by lines",
        "by keys",
    ]
    head += ["conflict", "without a person", "value changed upstream: merged", "conflict", "wrong"]
    print_table(
        "Rebases", head, [_row(options.repository, options.old, options.new, options.seeds)]
    )


if __name__ == "__main__":
    main()
