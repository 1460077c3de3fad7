"""Values as Kubernetes and YAML 1.2 read them, quantities, and positions of values."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.validation.kubernetes.quantities import parse_quantity
from benchmark_manager.domain.validation.texts.plain_values import (
    core_value,
    json_value,
    kubernetes_value,
)
from benchmark_manager.domain.validation.texts.yaml_values import build, locate
from benchmark_manager.domain.yaml.events import events


@pytest.mark.parametrize(
    ("text", "kubernetes", "core"),
    [
        ("yes", True, "yes"),
        ("n", False, "n"),
        ("Off", False, "Off"),
        ("true", True, True),
        ("012", 10, 12),
        ("0o12", 10, 10),
        ("0x1F", 31, 31),
        ("0b101", 5, "0b101"),
        ("-0b11", -3, "-0b11"),
        ("1_000", 1000, "1_000"),
        ("08", 8.0, 8),
        ("1e3", 1000.0, 1000.0),
        (".5", 0.5, 0.5),
        ("1:30", "1:30", "1:30"),
        ("2026-11-23", "2026-11-23", "2026-11-23"),
        (".inf", ".inf", ".inf"),
        ("1e999", "1e999", "1e999"),
        ("~", None, None),
        ("", None, None),
        ("64Gi", "64Gi", "64Gi"),
        ("-", "-", "-"),
        ("+5", 5, 5),
        ("9" * 500, "9" * 500, "9" * 500),
    ],
)
def test_plain_scalars(text: str, kubernetes: Any, core: Any) -> None:
    """Kubernetes' column comes from the Go library that the API server and kubectl use."""
    assert (kubernetes_value(text), type(kubernetes_value(text))) == (kubernetes, type(kubernetes))
    assert (core_value(text), type(core_value(text))) == (core, type(core))


@pytest.mark.parametrize("read", [kubernetes_value, core_value, json_value])
@given(text=st.text(max_size=12) | st.text("0123456789+-._xbo:eE", max_size=12))
@example(text="-Infinity")
@example(text="1e999")
def test_every_scalar_has_a_value_that_json_can_hold(read: Callable[[str], Any], text: str) -> None:
    json.dumps(read(text), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("500m", "0.5"),
        ("64Gi", str(64 * 1024**3)),
        ("1.5Ki", "1536"),
        ("1e3", "1000"),
        ("1E", "1e18"),
        ("12E2", "1200"),
        ("100n", "1e-7"),
        ("+.5k", "500"),
        (2, "2"),
        (0.25, "0.25"),
        *(
            (text, None)
            for text in (
                "64 gigs",
                "64GB",
                "64gi",
                "",
                ".",
                "Gi",
                "1ki",
                "1e",
                "0x10",
                "1,5",
                "9" * 101,
            )
        ),
        (True, None),
        ([], None),
    ],
)
def test_quantities(value: Any, amount: str | None) -> None:
    assert parse_quantity(value) == (None if amount is None else Decimal(amount))


_KEYS = st.text("abcdefg-._ü /", min_size=1, max_size=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text("abc :#-'\"\n", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=15,
)


@given(_VALUES, st.booleans())
def test_what_is_dumped_is_built_again(value: Any, flow: bool) -> None:
    text = yaml.safe_dump_all([value, {"next": 1}], default_flow_style=flow, allow_unicode=True)
    assert [document.value for document in build(text, kubernetes_value)] == [value, {"next": 1}]


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(found for step, part in inside for found in paths(part, (*path, step)))]


@given(_VALUES)
def test_every_key_is_found_where_it_is_written(value: Any) -> None:
    """At the position found for a key, the text continues with that key."""
    text = yaml.safe_dump_all([None, value], allow_unicode=True, width=10**6)
    wanted = [(1, path) for path in paths(value)]
    positions = {
        path: index
        for (_, path), index in locate(text, kubernetes_value, wanted).items()
        if path and isinstance(path[-1], str)
    }
    assert {path: first_text(text[index:]) for path, index in positions.items()} == {
        path: (path[-1], 0) for path in positions
    }


def first_text(text: str) -> tuple[str, int]:
    """Return the first scalar and its position."""
    first = next(event for event in events(text) if hasattr(event, "value"))
    return first.value, first.start_mark.index


def test_merged_keys_come_after_a_mapping_s_own_keys() -> None:
    text = "a: &a {x: 1, q: 2}\nb: &b {x: 3, z: 4}\nc: {<<: [*a, *b], q: 5}\nd: {q: 6, <<: *b}\n"
    [document] = build(text, kubernetes_value)
    assert document.value["c"] == {"q": 5, "x": 1, "z": 4}
    assert document.value["d"] == {"q": 6, "x": 3, "z": 4}
