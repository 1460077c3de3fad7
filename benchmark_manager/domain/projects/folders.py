"""Folder paths inside a repository."""

from typing import Final

from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.errors import InvalidInputError

_MAX_BYTES: Final = 1024


def normalise_folder(text: str, *, field: str) -> str:
    """Return the folder without leading and trailing slashes; `.` and empty are the root, "".

    Raises:
        InvalidInputError: `invalid_folder` for `..`, backslashes, control characters, empty
            or `.` segments inside, or more than 1,024 bytes.
    """
    folder = text.strip("/")
    if folder in {"", "."}:
        return ""
    reason = _problem(folder)
    if reason is not None:
        raise InvalidInputError("invalid_folder", reason, field=field, limit=_MAX_BYTES)
    return folder


def _problem(folder: str) -> str | None:
    """Return the reason of `invalid_folder`; None for a folder that is accepted."""
    if holds_control(folder):
        return "control"
    if "\\" in folder:
        return "backslash"
    segments = folder.split("/")
    if ".." in segments:
        return "outside"
    if "" in segments or "." in segments:
        return "empty_segment"
    if len(folder.encode("utf-8", "replace")) > _MAX_BYTES:
        return "too_long"
    return None
