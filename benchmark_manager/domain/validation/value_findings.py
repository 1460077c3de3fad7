"""Findings about values: collected by path, and located in the text when all are known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmark_manager.domain.validation.findings import MAX_PROBLEMS, Findings
from benchmark_manager.domain.validation.texts.placeholders import (
    holds_placeholder,
    value_holds_placeholder,
)
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value, locate

Violation: TypeAlias = tuple[Path, str, str]
"""Path, code, message."""

_Location: TypeAlias = tuple[int, Path]
"""The number of a document, and a path in it."""

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
"""Codes for something missing; a patch, which is merged into a whole manifest, may lack it."""


@dataclass(slots=True)
class ValueFindings:
    """Collects the findings of one object after another; beyond `MAX_PROBLEMS` it only counts.

    Paths start at the top of the object. Findings about a value that is filled in later, or that is
    missing in a part of a manifest, are dropped here, so that the rules need not check for that.
    """

    document: int = 0
    within: Path = ()
    value: Value = None
    partial: bool = False
    kept: list[tuple[_Location, str, str]] = field(default_factory=list)
    left_out: int = 0
    _locations: set[_Location] = field(default_factory=set)

    def begin(
        self, document: int, value: Value, *, within: Path = (), partial: bool = False
    ) -> None:
        """Start with the next object.

        Args:
            document: the number of its document in the file.
            value: the object.
            within: its path in the document.
            partial: whether it is only a part of a manifest, such as a patch.
        """
        self.document, self.value, self.within, self.partial = document, value, within, partial

    def add(self, path: Path, code: str, message: str) -> None:
        if self.partial and code in OF_WHOLE_MANIFESTS:
            return
        if self.full:
            self.left_out += 1
        # The name of an unknown field is wrong, whatever its value will be.
        elif not is_filled_in_later(None if code == "unknown_field" else self.value, path):
            location = self.document, (*self.within, *path)
            self.kept.append((location, code, message))
            self._locations.add(location)

    @property
    def full(self) -> bool:
        return len(self.kept) >= MAX_PROBLEMS

    def knows(self, path: Path) -> bool:
        return (self.document, (*self.within, *path)) in self._locations

    def report(self, parsed: str, scalar: Callable[[str], Value], findings: Findings) -> None:
        """Add each as a warning at its position in the text to `findings`."""
        if not self.kept:
            return
        indexes = locate(parsed, scalar, [location for location, _, _ in self.kept])
        for location, code, message in self.kept:
            findings.warning(code, message, indexes[location])
        findings.left_out += self.left_out


def is_filled_in_later(value: Value, path: Path) -> bool:
    """Return whether a placeholder is at a path, in a key on the way, or in a key beside it."""
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
