"""What checks of built values complain about: by path first, by place in the text once all is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmark_manager.domain.validation.findings import MAX_PROBLEMS, Findings, excerpt
from benchmark_manager.domain.validation.texts.placeholders import (
    holds_placeholder,
    value_holds_placeholder,
)
from benchmark_manager.domain.validation.texts.yaml_values import Path, Place, Value, locate

_MAX_PATH: Final = 120

Violation: TypeAlias = tuple[Path, str, str]
"""Path, code, message."""

OF_WHOLE_MANIFESTS: Final = frozenset(
    {
        "missing_field",
        "image_missing",
        "job_restart_policy",
        "volume_missing",
        "selector_mismatch",
        "extended_resource",
    }
)
"""Codes which say that something is missing: a part of a manifest, which is merged into a whole, lacks it rightly."""


@dataclass(slots=True)
class Complaints:
    """Collects for one object after the other; beyond `MAX_PROBLEMS` it only counts.

    Paths are given from the top of the object. What concerns a value that is filled in later, or is
    missing in a part of a manifest, is dropped here, so that no rule has to think of it.
    """

    document: int = 0
    within: Path = ()
    value: Value = None
    partial: bool = False
    kept: list[tuple[Place, str, str]] = field(default_factory=list)
    left_out: int = 0
    _places: set[Place] = field(default_factory=set)

    def begin(
        self, document: int, value: Value, *, within: Path = (), partial: bool = False
    ) -> None:
        """Go on to an object: its document's number, its value, where it stands, and whether it is a part of one."""
        self.document, self.value, self.within, self.partial = document, value, within, partial

    def add(self, path: Path, code: str, message: str) -> None:
        if self.partial and code in OF_WHOLE_MANIFESTS:
            return
        if self.full:
            self.left_out += 1
        # Of a field that is unknown the name is wrong, whatever its value will be.
        elif not is_filled_in_later(None if code == "unknown_field" else self.value, path):
            place = self.document, (*self.within, *path)
            self.kept.append((place, code, message))
            self._places.add(place)

    @property
    def full(self) -> bool:
        return len(self.kept) >= MAX_PROBLEMS

    def knows(self, path: Path) -> bool:
        return (self.document, (*self.within, *path)) in self._places

    def tell(self, parsed: str, scalar: Callable[[str], Value], findings: Findings) -> None:
        """Make them warnings, each at its place."""
        if not self.kept:
            return
        indexes = locate(parsed, scalar, [place for place, _, _ in self.kept])
        for place, code, message in self.kept:
            findings.warning(code, message, indexes[place])
        findings.left_out += self.left_out


def is_filled_in_later(value: Value, path: Path) -> bool:
    """Whether what stands at a path has a placeholder, or a key on the way there or beside it."""
    for step in path:
        if isinstance(step, str) and holds_placeholder(step):
            return True
        following = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            following = value[step]
        if following is None:
            break
        value = following
    if isinstance(value, dict):
        return any(map(holds_placeholder, value))
    return isinstance(value, str) and value_holds_placeholder(value)


def shown(path: Path) -> str:
    """A path as people write it: `spec.containers[0].image`; its end, where it is very long."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{excerpt(step)}" for step in path]
    text = "".join(parts).removeprefix(".")
    return text if len(text) <= _MAX_PATH else f"…{text[-_MAX_PATH:]}"


def mapping(value: Value) -> dict[str, Value]:
    """The value if it is a mapping, else an empty one: what has the wrong type is for the schema to say."""
    return value if isinstance(value, dict) else {}


def sequence(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []
