"""Definitions of sweeps for Hypothesis."""

from typing import Any

from hypothesis import strategies as st
from pydantic import JsonValue

from benchmark_manager.domain.sweeps.definition import read_definition
from benchmark_manager.models.sweep import SweepDefinition

ALIASES = ["engine", "job", "9-_"]
NAMES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12
).filter(lambda name: bool(name.strip()))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(["1", "1e3", "no", "on", "null", "~", "2026-11-30", "a: b", "- a", "<<"])
)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=4,
)


@st.composite
def definitions(draw: st.DrawFn) -> SweepDefinition:
    """A definition of 1 to 3 axes with up to 4 values each, which sets each value once."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    rule = draw(st.sampled_from(["product", "zip"]))
    length = draw(st.integers(1, 4))
    axes = [
        draw(_axes(name, number, length if rule == "zip" else draw(st.integers(1, 4))))
        for number, name in enumerate(names)
    ]
    assigned = {name: _values(axis) for name, axis in zip(names, axes, strict=True)}
    exclude = st.fixed_dictionaries({}, optional=assigned).filter(bool)
    value: dict[str, Any] = {
        "name": draw(NAMES),
        "description": draw(st.text(st.characters(exclude_categories=["Cs"]))),
        "files": {"engine": "a/b.yaml", "job": {"modified_file_id": "1"}, "9-_": "ü ß.json"},
        "axes": axes,
        "combine": rule,
        "exclude": draw(st.lists(exclude, max_size=3)),
        "include": draw(st.lists(st.fixed_dictionaries(assigned), max_size=3)),
        "repeats": draw(st.integers(1, 1000)),
        "contents": draw(st.sampled_from(["originals", "all"])),
    }
    return read_definition(value)


def _values(axis: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of an axis, and others where it may have others."""
    if "points" in axis:
        return st.sampled_from([point["name"] for point in axis["points"]])
    return st.sampled_from(axis["values"]) | VALUES


@st.composite
def _axes(draw: st.DrawFn, name: str, number: int, length: int) -> dict[str, Any]:
    targets = draw(st.lists(st.sampled_from(ALIASES), min_size=1, max_size=2, unique=True))
    places = [f"{alias}:spec.x{number}[name=a: b]?" for alias in targets]
    if draw(st.booleans()):
        values = draw(st.lists(VALUES, min_size=length, max_size=length))
        return {"name": name, "set": places, "values": values}
    names = draw(st.lists(NAMES, min_size=length, max_size=length, unique=True))
    points = [{"name": point, "set": {place: draw(VALUES) for place in places}} for point in names]
    return {"name": name, "points": points}
