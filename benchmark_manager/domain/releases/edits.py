"""The edits of releases. Only a name, a description and whether it is pinned may change."""

from typing import Final

from benchmark_manager.models.release import Release

_FIELDS: Final = ("name", "description", "pinned")


def changed_fields(before: Release, after: Release) -> tuple[str, ...]:
    """Return the names of the fields in which two revisions of a release differ."""
    return tuple(name for name in _FIELDS if getattr(before, name) != getattr(after, name))


def edited_release(
    release: Release, *, name: str | None, description: str | None, pinned: bool | None
) -> Release:
    """Change the fields that are given, as the next revision; None keeps a field.

    Returns the release itself where nothing changes.
    """
    edited = release.model_copy(
        update={
            "name": release.name if name is None else name,
            "description": release.description if description is None else description,
            "pinned": release.pinned if pinned is None else pinned,
        }
    )
    if edited == release:
        return release
    return edited.model_copy(update={"revision": release.revision + 1})
