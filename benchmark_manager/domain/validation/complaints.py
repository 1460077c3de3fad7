"""What checks of built values complain about: by path first, by place in the text once all is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmark_manager.domain.validation.findings import MAX_PROBLEMS, Findings, excerpt
from benchmark_manager.domain.validation.yaml_values import Path, Place, Value, locate

_MAX_PATH: Final = 120

Violation: TypeAlias = tuple[Path, str, str]
"""Path, code, message."""


@dataclass(slots=True)
class Complaints:
    """Collects for one document after the other; beyond `MAX_PROBLEMS` it only counts."""

    document: int = 0
    kept: list[tuple[Place, str, str]] = field(default_factory=list)
    left_out: int = 0
    _places: set[Place] = field(default_factory=set)

    def add(self, path: Path, code: str, message: str) -> None:
        if not self.full:
            self.kept.append(((self.document, path), code, message))
            self._places.add((self.document, path))
        else:
            self.left_out += 1

    @property
    def full(self) -> bool:
        return len(self.kept) >= MAX_PROBLEMS

    def knows(self, path: Path) -> bool:
        return (self.document, path) in self._places

    def tell(self, parsed: str, scalar: Callable[[str], Value], findings: Findings) -> None:
        """Make them warnings, each at its place."""
        if not self.kept:
            return
        indexes = locate(parsed, scalar, [place for place, _, _ in self.kept])
        for place, code, message in self.kept:
            findings.warning(code, message, indexes[place])
        findings.left_out += self.left_out


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
