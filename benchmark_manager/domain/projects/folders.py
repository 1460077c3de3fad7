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
    problem = _problem(folder)
    if problem is not None:
        raise InvalidInputError("invalid_folder", f"{field} {problem}.", field=field)
    return folder


def _problem(folder: str) -> str | None:
    if holds_control(folder):
        return "must not contain control characters"
    if "\\" in folder:
        return "must not contain backslashes; folders are separated by /"
    segments = folder.split("/")
    if ".." in segments:
        return "must not leave the repository with `..`"
    if "" in segments or "." in segments:
        return "must not contain empty or `.` segments"
    if len(folder.encode("utf-8", "replace")) > _MAX_BYTES:
        return f"must be at most {_MAX_BYTES} bytes long"
    return None
