"""Variants compared with their base and their original: who changed what."""

import json
import random
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.documents import (
    ThreeWayRows,
    compare_three_ways,
    compare_together,
)
from benchmark_manager.models.original import FileFormat
from support.examples import EXAMPLES

NOTHING: Final = object()
_LETTERS: Final = "abcd"


def kinds_of(found: ThreeWayRows | None) -> dict[str, tuple[str, bool]]:
    assert found is not None
    return {row.path: (row.kind, row.differs) for row in found.rows}


# --- against the definition, on plain Python values ----------------------------------------------


class _MadeDocuments:
    """Values of one seed: `l` is always a list without names, and `n` one of named items."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- nothing secret

    def scalar(self) -> object:
        return self._random.choice([1, 2, 1.5, True, None, "x", "y z", "1"])

    def value(self, key: str, depth: int) -> object:
        if key == "l":
            return [self.value("a", depth - 1) for _ in range(self._random.randint(0, 3))]
        if key == "n":
            names = self._random.sample(["p", "q", "r"], self._random.randint(0, 3))
            return [{"name": name, **self.mapping(depth - 1)} for name in names]
        return (
            self.mapping(depth - 1) if depth > 0 and self._random.random() < 0.4 else self.scalar()
        )

    def mapping(self, depth: int) -> dict[str, object]:
        keys = self._random.sample(
            [*_LETTERS, *("ln" if depth > 0 else "")], self._random.randint(0, 3)
        )
        return {key: self.value(key, depth) for key in keys}

    def edited(self, value: Any, rate: float, key: str = "") -> Any:
        """The value with some parts changed, added and removed."""
        if isinstance(value, dict):
            kept = {
                inner: part if inner == "name" else self.edited(part, rate, inner)
                for inner, part in value.items()
                if inner == "name" or self._random.random() > rate / 3
            }
            return kept if self._random.random() > rate else {**self.mapping(1), **kept}
        if isinstance(value, list):
            return [self.edited(part, rate) for part in value if self._random.random() > rate / 3]
        return self.value(key, 1) if self._random.random() < rate else value


def _leaves(value: Any, path: str = "") -> dict[str, object]:
    """Return every value without parts by its path, with its type."""
    if isinstance(value, dict) and value:
        inner = [(f"{path}.{key}".removeprefix("."), part) for key, part in value.items()]
    elif isinstance(value, list) and value:
        names = [part.get("name") if isinstance(part, dict) else None for part in value]
        steps = (
            [f"name={name}" for name in names] if all(names) else list(map(str, range(len(value))))
        )
        inner = [(f"{path}[{step}]", part) for step, part in zip(steps, value, strict=True)]
    else:
        return {path or ".": (type(value), value)}
    return {name: leaf for where, part in inner for name, leaf in _leaves(part, where).items()}


def _defined(original: object, base: object, variant: object) -> dict[str, tuple[str, bool]]:
    """Say of each path who changed it, and whether the variant differs from the original."""
    now, before, own = map(_leaves, (original, base, variant))
    found = {}
    for path in {**now, **before, **own}:
        is_mine = own.get(path, NOTHING) != before.get(path, NOTHING)
        is_upstreams = now.get(path, NOTHING) != before.get(path, NOTHING)
        if is_mine or is_upstreams:
            kind = "both" if is_mine and is_upstreams else "mine" if is_mine else "upstream"
            found[path] = kind, own.get(path, NOTHING) != now.get(path, NOTHING)
    return found


def _text(value: object, file_format: FileFormat) -> str:
    return json.dumps(value) if file_format == "json" else yaml.safe_dump(value, sort_keys=False)


@settings(max_examples=EXAMPLES)
@given(
    st.integers(0, 2**48),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([0.1, 0.5]),
    st.sampled_from(["yaml", "json"]),
)
def test_who_changed_a_value_is_what_the_definition_says(
    seed: int, upstreams: float, own: float, file_format: FileFormat
) -> None:
    made = _MadeDocuments(seed)
    base = {"top": 1, **made.mapping(3)}
    original = made.edited(base, upstreams)
    variants = [base, *(made.edited(base, own) for _ in range(2)), made.edited(original, own)]
    texts = [_text(value, file_format) for value in variants]
    now, before = _text(original, file_format), _text(base, file_format)
    alone = compare_three_ways(now, before, texts, file_format)
    assert [kinds_of(found) for found in alone] == [
        _defined(original, base, variant) for variant in variants
    ]
    together = compare_together(now, [(text, before) for text in texts], file_format)
    assert together is not None
    assert [kinds_of(found) for found in together.variants] == [kinds_of(found) for found in alone]
    current = compare_three_ways(now, None, texts, file_format)
    assert current == compare_three_ways(now, now, texts, file_format)


# --- what is in one text only, and lists whose items have names in one text only ------------------


@pytest.mark.parametrize(
    ("base", "original", "variant", "kinds"),
    [
        pytest.param("a: 1\n", "a: 1\n", "a: 2\n", {"a": ("mine", True)}, id="changed here"),
        pytest.param("a: 1\n", "a: 2\n", "a: 1\n", {"a": ("upstream", True)}, id="lags behind"),
        pytest.param("a: 1\n", "a: 2\n", "a: 3\n", {"a": ("both", True)}, id="both, apart"),
        pytest.param("a: 1\n", "a: 2\n", "a: 2\n", {"a": ("both", False)}, id="both, alike"),
        pytest.param("a: 1\n", "a: true\n", "a: 1\n", {"a": ("upstream", True)}, id="another type"),
        pytest.param("a: 1\n", "a: 1\n", 'a: "1"\n', {"a": ("mine", True)}, id="a string now"),
        pytest.param(
            "a: 1\n", "a: 1\nb: 1\n", "a: 1\n", {"b": ("upstream", True)}, id="added upstream"
        ),
        pytest.param("a: 1\nb: 1\n", "a: 1\n", "a: 1\n", {"b": ("both", False)}, id="both removed"),
        pytest.param(
            "a: 1\nb: 1\n", "a: 1\n", "a: 1\nb: 2\n", {"b": ("both", True)}, id="removed upstream"
        ),
        pytest.param(
            "a: 1\n",
            "a: {b: 1}\n",
            "a: 1\n",
            {"a": ("upstream", True), "a.b": ("upstream", True)},
            id="a mapping upstream",
        ),
        pytest.param(
            "l: [{name: p, v: 1}]\n",
            "l: [{name: p, v: 2}]\n",
            "l: [{v: 7}]\n",
            {"l[0].name": ("mine", True), "l[0].v": ("both", True)},
            id="names removed here",
        ),
        pytest.param(
            "l: [{v: 1}]\n",
            "l: [{name: p, v: 1}]\n",
            "l: [{v: 2}]\n",
            {"l[0].name": ("upstream", True), "l[0].v": ("mine", True)},
            id="names added upstream",
        ),
        pytest.param(
            "l: [{v: 1}, {name: q, v: 3}]\n",
            "l: [{name: p, v: 1}, {name: q, v: 3}]\n",
            "l: [{name: p, v: 2}, {name: q, v: 4}]\n",
            {
                "l[name=p].name": ("both", False),
                "l[name=p].v": ("both", True),
                "l[name=q].v": ("mine", True),
            },
            id="names in the base for some items",
        ),
        pytest.param(
            "a: &x {b: 1}\n", "a: {b: 1}\n", "a: {b: 2}\n", {"a.b": ("mine", True)}, id="an anchor"
        ),
        pytest.param(
            "a: {b: 1}\n",
            "a: &x {b: 1}\n",
            "a: {b: 2}\n",
            {"a": ("both", True)},
            id="an anchor upstream",
        ),
        pytest.param(
            "kind: A\nmetadata: {name: x}\nv: 1\n---\nkind: B\nmetadata: {name: y}\n",
            "kind: A\nmetadata: {name: x}\nv: 1\n",
            "kind: A\nmetadata: {name: x}\nv: 2\n",
            {"v": ("mine", True)},
            id="a document that both removed",
        ),
        pytest.param(
            "v: 1\n---\nv: 2\n",
            "v: 1\n---\nv: 3\n",
            "v: 1\n---\nv: 2\n",
            {"#2 v": ("upstream", True)},
            id="documents without names",
        ),
        pytest.param("", "a: 1\n", "", {"a": ("upstream", True)}, id="nothing in the base"),
        pytest.param("a: 1\n", "a: 1\n", "a: 1 # mine\n", {}, id="a comment"),
    ],
)
def test_values_are_compared_under_one_path(
    base: str, original: str, variant: str, kinds: dict[str, tuple[str, bool]]
) -> None:
    [found] = compare_three_ways(original, base, [variant], "yaml")
    assert kinds_of(found) == kinds
    together = compare_together(original, [(variant, base)], "yaml")
    assert together is not None
    assert kinds_of(together.variants[0]) == kinds


def test_a_namespace_that_documents_are_addressed_by_is_no_plain_value() -> None:
    document = "kind: A\nmetadata:\n  name: x\n  namespace: {}\n"
    original = f"{document.format('one')}---\n{document.format('two')}"
    [found] = compare_three_ways(original, None, [original.replace("two", "other")], "yaml")
    assert {path.partition(" ")[0] for path in kinds_of(found)} == {"A/two/x", "A/other/x"}


@pytest.mark.parametrize("base", ["a: [\n", "a: {{ x }}\n"])
def test_without_a_base_that_parses_a_variant_is_compared_with_the_original_alone(
    base: str,
) -> None:
    [found] = compare_three_ways("a: 1\nb: 1\n", base, ["a: 2\nb: 1\n"], "yaml")
    assert found is not None
    assert [(row.path, row.differs) for row in found.rows] == [("a", True)]
    together = compare_together("a: 1\n", [("a: 2\n", base), ("a: 3\n", None)], "yaml")
    assert together is not None
    assert (found.has_base, [each.has_base for each in together.variants]) == (False, [False, True])


def test_what_does_not_parse_is_not_compared() -> None:
    assert compare_three_ways("a: 1\n", "a: 2\n", ["a: [\n"], "yaml") == [None]
    assert compare_three_ways("a: [\n", "a: 2\n", ["a: 1\n"], "yaml") == [None]
    assert compare_together("a: 1\n", [("a: [\n", None)], "yaml") is None
