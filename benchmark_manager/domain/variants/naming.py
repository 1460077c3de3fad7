"""The file names of variants."""

from typing import Final

from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.original import FileFormat

_MAX_BYTES: Final = 255
_ENDINGS: Final[dict[FileFormat, tuple[str, ...]]] = {"yaml": (".yaml", ".yml"), "json": (".json",)}


def check_modified_name(name: str, file_format: FileFormat) -> None:
    """Accept a file name, not a path, whose ending fits the original's format.

    Raises:
        InvalidInputError: `invalid_name`, with the rule that the name breaks.
    """
    reason = _problem(name, file_format)
    if reason is not None:
        raise InvalidInputError("invalid_name", reason, field="variant_name", limit=_MAX_BYTES)


def proposed_names(name: str, count: int) -> list[str]:
    """Return names for variants of an original with this name, the best one first.

    None of them is the original's own name.
    """
    stem, dot, ending = name.rpartition(".")
    numbers = ["", *(f"-{number}" for number in range(2, count + 1))]
    return [f"{stem}-variant{number}{dot}{ending}" for number in numbers]


def _problem(name: str, file_format: FileFormat) -> str | None:
    """Return the reason of `invalid_name`; None for a name that is accepted."""
    if not 1 <= len(name.encode("utf-8", "replace")) <= _MAX_BYTES:
        return "length"
    if name in {".", ".."}:
        return "dots"
    if "/" in name or "\\" in name:
        return "path"
    if holds_control(name):
        return "control"
    return None if name.lower().endswith(_ENDINGS[file_format]) else f"{file_format}_ending"
