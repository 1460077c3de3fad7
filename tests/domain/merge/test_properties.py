"""What holds for every merge, held against rules on plain Python values."""

import json
import random
from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.documents import key_changes, try_parse
from benchmark_manager.domain.merge import merge
from benchmark_manager.domain.merge.text_merge import merge_text
from benchmark_manager.models.merge import COMMENT_SUFFIX, Merge
from benchmark_manager.models.original import FileFormat
from support.examples import EXAMPLES

MANY = settings(max_examples=EXAMPLES)
SEEDS = st.integers(0, 2**48)
FORMATS: st.SearchStrategy[FileFormat] = st.sampled_from(["yaml", "json"])
ABSENT = object()


class _MadeValues:
    """Values, edits and texts from one seed.

    2,000 examples of three texts each would be slow to draw.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311  nothing secret
        self.count = 0

    def scalar(self) -> Any:
        """Every number is another, so that a value shows where it came from."""
        self.count += 1
        kinds = [
            self.count,
            f"word {self.count}",
            f"{self.count}",
            f"line {self.count}\nmore\n",
            self.count + 0.5,
        ]
        return self.rng.choice(kinds)

    def value(self, depth: int) -> Any:
        kind = (
            self.rng.choice(["scalar", "scalar", "mapping", "list", "named", "mappings"])
            if depth
            else "scalar"
        )
        size = self.rng.randint(1, 3)
        match kind:
            case "mapping":
                return self.mapping(depth - 1)
            case "list":
                return [self.scalar() for _ in range(size)]
            case "named":
                return [{"name": f"n{i}", **self.mapping(depth - 1)} for i in range(size)]
            case "mappings":
                return [self.mapping(depth - 1) for _ in range(size)]
            case _:
                return self.scalar()

    def mapping(self, depth: int) -> dict[str, Any]:
        return {
            key: self.value(depth) for key in self.rng.sample("abcdefg", self.rng.randint(1, 3))
        }

    def edited(self, value: Any, rate: float) -> Any:
        """The value with some parts changed, added or removed."""
        if isinstance(value, dict):
            kept = {
                k: v if k == "name" else self.edited(v, rate)
                for k, v in value.items()
                if not self._gone(k, rate)
            }
            if self.rng.random() < rate / 2:
                kept = _inserted(
                    kept, self.rng.choice("hijk"), self.value(1), self.rng.randint(0, len(kept))
                )
            return kept
        if isinstance(value, list):
            items = [self.edited(item, rate) for item in value if self.rng.random() > rate / 6]
            if self.rng.random() < rate / 2:
                items.insert(self.rng.randint(0, len(items)), self._item(value))
            return items
        return self.scalar() if self.rng.random() < rate else value

    def _gone(self, key: str, rate: float) -> bool:
        return key != "name" and self.rng.random() < rate / 6

    def _item(self, like: list[Any]) -> Any:
        if like and isinstance(like[0], dict):
            name = {"name": self.rng.choice(["n7", "n8", "n9"])} if "name" in like[0] else {}
            return {**name, **self.mapping(0)}
        return self.scalar()

    def yaml(self, value: dict[str, Any], *, plain: bool) -> str:
        style = self.rng.choice([(2, 0), (2, 2), (4, 2)]) if not plain else (2, 0)
        lines = self._block(value, 0, style, plain=plain)
        line_end = "\n" if plain else self.rng.choice(["\n", "\r\n"])
        # A block scalar without a line end at the end of the file is another value.
        is_open = not plain and not lines[-1].endswith("more") and self.rng.random() < 0.2
        text = line_end.join(lines) + ("" if is_open else line_end)
        return f"\ufeff{text}" if not plain and self.rng.random() < 0.1 else text

    def _block(self, value: Any, indent: int, style: tuple[int, int], *, plain: bool) -> list[str]:
        lines: list[str] = []
        pad = " " * indent
        if not value:
            return ["{}"]
        if isinstance(value, dict):
            for key, part in self._order(value, plain=plain):
                lines += [] if plain or self.rng.random() < 0.8 else [f"{pad}# about {key}"]
                lines += self._entry(f"{pad}{key}:", part, indent, style, plain=plain)
            return lines
        for part in value:
            if isinstance(part, dict) and part:
                inner = self._block(part, indent + 2, style, plain=True)
                lines += [f"{pad}- {inner[0].lstrip()}", *inner[1:]]
            else:
                lines += self._entry(f"{pad}-", part, indent, style, plain=plain)
        return lines

    def _order(self, value: dict[str, Any], *, plain: bool) -> list[tuple[str, Any]]:
        entries = list(value.items())
        if not plain and self.rng.random() < 0.3:
            self.rng.shuffle(entries)
        return entries

    def _entry(
        self, start: str, part: Any, indent: int, style: tuple[int, int], *, plain: bool
    ) -> list[str]:
        comment = "  # why" if not plain and self.rng.random() < 0.2 else ""
        if isinstance(part, (dict, list)) and part:
            if not plain and self.rng.random() < 0.2:
                return [f"{start} {json.dumps(part)}{comment}"]
            deeper = style[0] if isinstance(part, dict) else style[1]
            return [start + comment, *self._block(part, indent + deeper, style, plain=plain)]
        if isinstance(part, str) and "\n" in part and (plain or self.rng.random() < 0.7):
            pad = " " * (indent + 2)
            return [f"{start} |{comment}", *(pad + line for line in part.splitlines())]
        return [f"{start} {json.dumps(part)}{comment}"]

    def text(self, value: dict[str, Any], file_format: FileFormat, *, plain: bool) -> str:
        if file_format == "yaml":
            return self.yaml(value, plain=plain)
        indent = 2 if plain else self.rng.choice([None, 1, 2, 4])
        return json.dumps(value, indent=indent) + ("\n" if plain or self.rng.random() < 0.5 else "")


def _inserted(mapping: dict[str, Any], key: str, value: Any, index: int) -> dict[str, Any]:
    entries = [entry for entry in mapping.items() if entry[0] != key]
    return dict([*entries[:index], (key, value), *entries[index:]])


def _triple(seed: int, file_format: FileFormat) -> tuple[Any, Any, Any, tuple[str, str, str]]:
    made = _MadeValues(seed)
    base = made.mapping(2)
    rates = [0.03, 0.1, 0.3]
    theirs, mine = (
        made.edited(base, made.rng.choice(rates)),
        made.edited(base, made.rng.choice(rates)),
    )
    alike = made.rng.random() < 0.5
    texts = (
        made.text(base, file_format, plain=True),
        made.text(theirs, file_format, plain=alike),
        made.text(mine, file_format, plain=alike),
    )
    return base, theirs, mine, texts


def _load(text: str, file_format: FileFormat) -> Any:
    return json.loads(text) if file_format == "json" else yaml.load(text, yaml.CSafeLoader)


def _by_name(value: Any) -> dict[str, Any] | None:
    """A list as a mapping, where every item has a name of its own."""
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(item, dict) and "name" in item for item in value)
    ):
        return None
    names = [item["name"] for item in value]
    return dict(zip(names, value, strict=True)) if len(set(names)) == len(names) else None


def _tokens(value: Any) -> Counter[str]:
    """Every scalar and key in a value."""
    if isinstance(value, dict):
        return sum((Counter([key]) + _tokens(part) for key, part in value.items()), Counter())
    if isinstance(value, list):
        return sum((_tokens(part) for part in value), Counter())
    return Counter([json.dumps(value)])


def _expected_order(changed: list[Any], result: list[Any]) -> bool:
    rest = iter(result)
    return all(any(item == other for other in rest) for item in changed if item in result)


def _is_right(base: Any, theirs: Any, mine: Any, result: Any) -> bool:
    """Both change sets, applied independently of each other, give this result."""
    if mine in (base, theirs):
        return bool(result == theirs)
    if theirs == base:
        return bool(result == mine)
    sides = (base, theirs, mine, result)
    if all(isinstance(side, dict) for side in sides):
        keys = set().union(*sides)
        return all(_is_right(*(side.get(key, ABSENT) for side in sides)) for key in keys)
    named = [_by_name(side) for side in sides]
    if all(side is not None for side in named[:3]) and (named[3] is not None or result == []):
        names = [side or {} for side in named]
        keys = set().union(*names)
        return all(_is_right(*(side.get(key, ABSENT) for side in names)) for key in keys)
    if all(isinstance(side, list) for side in sides):
        return _is_right_list(base, theirs, mine, result)
    return False


def _is_right_list(base: list[Any], theirs: list[Any], mine: list[Any], result: list[Any]) -> bool:
    gone = (_tokens(base) - _tokens(theirs)) + (_tokens(base) - _tokens(mine))
    come = (_tokens(theirs) - _tokens(base)) + (_tokens(mine) - _tokens(base))
    fits = not (_tokens(result) - come - _tokens(base)) and not (come - _tokens(result))
    return (
        fits
        and all(_expected_order(side, result) for side in (theirs, mine))
        and not ((_tokens(base) - gone) - _tokens(result))
    )


def _must_merge(base: Any, theirs: Any, mine: Any) -> bool:
    """Whether no two changes meet, and no list without names was changed by both."""
    if mine in (base, theirs) or theirs == base:
        return True
    sides = (base, theirs, mine)
    if not all(isinstance(side, dict) for side in sides):
        return False
    return all(
        _must_merge(*(side.get(key, ABSENT) for side in sides)) for key in set().union(*sides)
    )


def _same(one: Any, other: Any) -> bool:
    """Equal, but for the order of items with names."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if (names := _by_name(one)) is not None and (others := _by_name(other)) is not None:
        return _same(names, others)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


@MANY
@given(seed=SEEDS, file_format=FORMATS)
def test_a_merge_says_what_both_changes_say(seed: int, file_format: FileFormat) -> None:
    base, theirs, mine, texts = _triple(seed, file_format)
    merged = merge(texts[0], texts[1], texts[2], file_format)
    if merged.content is None:
        assert merged.conflicts
        # A comment of mine has no position in a list that upstream wrote in one line.
        of_values = [
            conflict
            for conflict in merged.conflicts
            if not f"{conflict.path}".endswith(COMMENT_SUFFIX)
        ]
        assert not (of_values and _must_merge(base, theirs, mine))
        return
    if merged.outcome != "nothing":
        assert try_parse(merged.content, file_format) is not None
        assert _is_right(base, theirs, mine, _load(merged.content, file_format))


@MANY
@given(seed=SEEDS, file_format=FORMATS)
def test_exchanged_sides_give_an_equal_tree(seed: int, file_format: FileFormat) -> None:
    *_, (base, theirs, mine) = _triple(seed, file_format)
    forth, back = merge(base, theirs, mine, file_format), merge(base, mine, theirs, file_format)
    if forth.content is None or back.content is None:
        return
    assert _same(_load(forth.content, file_format), _load(back.content, file_format))
    if forth.outcome == back.outcome == "text":
        assert forth.content == back.content


@MANY
@given(st.text(max_size=60), st.text(max_size=60), FORMATS)
@example("a: 1\n", "a: 1\na: 2\n", "yaml")
@example("\ufeffa: 1\r\n", "{", "yaml")
def test_one_moved_side_gives_its_text_to_the_byte(
    base: str, moved: str, file_format: FileFormat
) -> None:
    assert merge(base, moved, base, file_format).content == moved
    assert merge(base, base, moved, file_format) == Merge(outcome="nothing", content=moved)


@MANY
@given(seed=SEEDS, file_format=FORMATS)
def test_only_what_i_changed_differs_from_theirs(seed: int, file_format: FileFormat) -> None:
    """One scalar of mine: all bytes before and behind it are theirs'."""
    made = _MadeValues(seed)
    base = {"top": made.mapping(1), "mine": made.scalar(), "end": made.mapping(1)}
    theirs = {"top": made.edited(base["top"], 0.4), "mine": base["mine"], "end": base["end"]}
    theirs_text = made.text(theirs, file_format, plain=False)
    mine_text = made.text({**base, "mine": "changed-by-me"}, file_format, plain=True)
    merged = merge(made.text(base, file_format, plain=True), theirs_text, mine_text, file_format)
    if merged.outcome == "nothing":
        return
    assert merged.content is not None
    before, _, behind = merged.content.partition('"changed-by-me"')
    assert theirs_text.startswith(before)
    assert theirs_text.endswith(behind)
    assert _load(merged.content, file_format) == {**theirs, "mine": "changed-by-me"}


# fmt: off
PIECES = st.sampled_from([
    "a", "b", "1", "no", "~", ":", ": ", "- ", "? ", "{", "}", "[", "]", ",", "'", '"', "|\n",
    "|+\n", ">-\n", "&a ", "*a", "!t ", "#", " #x", "{{", "}}", "---\n", "...\n", "<<: *a\n",
    "a: 1\n", "b: 2\n", "c:\n", "  d: 3\n", "- name: x\n", "  e: 4\n", "\n", "\r\n", "\r", "\t",
    "  ", "\ufeff", "\x85", "\u2028", "\x01", "\ud800",
    "\\U00100000",
    '{"a": 1}', "name: y\n", "  - f\n", "kind: Job\n",
])
# fmt: on
SOUP = st.lists(PIECES, max_size=14)


@MANY
@given(SOUP, st.randoms(use_true_random=False), FORMATS)
def test_no_text_makes_it_fail(
    pieces: list[str], rng: random.Random, file_format: FileFormat
) -> None:
    def variant() -> str:
        return "".join(rng.choice([piece, piece, piece, "b: 9\n"]) for piece in pieces)

    base, theirs, mine = "".join(pieces), variant(), variant()
    merged = merge(base, theirs, mine, file_format)
    assert (merged.content is None) == (merged.outcome == "conflict") == bool(merged.conflicts)
    trees = [try_parse(text, file_format) for text in (base, theirs, mine)]
    if merged.outcome != "nothing" and merged.content is not None and None not in trees:
        assert try_parse(merged.content, file_format) is not None
    if None in trees and base not in {theirs, mine} and theirs != mine:
        assert merged.content == merge_text(base, theirs, mine).content


@pytest.mark.parametrize("file_format", ["yaml", "json"])
def test_changes_between_theirs_and_the_merge_are_mine(file_format: FileFormat) -> None:
    foreign = {seed: _foreign_changes(seed, file_format) for seed in range(300)}
    assert {seed: paths for seed, paths in foreign.items() if paths} == {}


def _foreign_changes(seed: int, file_format: FileFormat) -> set[str]:
    """Return the keys, outside lists, that a merge changed in theirs and I did not change."""
    base, theirs, mine, texts = _triple(seed, file_format)
    merged = merge(texts[0], texts[1], texts[2], file_format)
    if merged.content is None or not _must_merge(base, theirs, mine) or merged.outcome == "nothing":
        return set()
    mine_changes = {change.path for change in key_changes(texts[0], texts[2], file_format) or ()}
    made = {change.path for change in key_changes(texts[1], merged.content, file_format) or ()}
    return {path for path in made if "[" not in path} - mine_changes
