"""Warns of folders without files: a folder is missing, or a link or submodule is in its way."""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Final

from benchmark_manager.domain.sync.obstacles import Obstacle
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.models.sync import SyncWarning

#: Characters of a target that are shown.
_SHOWN: Final = 200


async def folder_warnings(
    client: RepositoryClient,
    commit_sha: str,
    missing: Iterable[str],
    obstacles: Mapping[str, Obstacle] | None,
) -> tuple[SyncWarning, ...]:
    """Return a warning for each missing folder.

    `obstacles` are what a listing shows in their way, by folder; None: that was not listed, and
    GraphQL is asked, where there is any. The target of a link is requested too. If either fails,
    the sync continues without it.
    """
    folders = tuple(missing)
    if not folders:
        return ()
    try:
        found = (
            await client.obstacles(commit_sha, folders) if obstacles is None else dict(obstacles)
        )
        for folder, obstacle in found.items():
            if obstacle.is_link and obstacle.target is None:
                found[folder] = obstacle.pointing_to(
                    await client.blob(obstacle.sha, obstacle.longest_target)
                )
    except GitHubUnavailableError:
        found = dict(obstacles or {})
    return tuple(_warning(folder, found.get(folder)) for folder in folders)


def _warning(folder: str, obstacle: Obstacle | None) -> SyncWarning:
    if obstacle is None:
        return SyncWarning(
            code="folder_not_found",
            detail=f"The branch has no folder {folder!r}; it holds no files for this project.",
        )
    is_above = obstacle.path != folder
    subject = (
        f"{obstacle.path!r}, above the folder {folder!r}," if is_above else f"The folder {folder!r}"
    )
    if not obstacle.is_link:
        return SyncWarning(
            code="folder_is_submodule",
            detail=f"{subject} is a submodule, at commit {obstacle.sha[:12]} of another "
            "repository; it holds no files for this project. Make a project of that repository.",
        )
    return SyncWarning(
        code="folder_is_symlink",
        detail=f"{subject} is a symbolic link{_pointing(folder, obstacle)}; "
        "links are not followed, so it holds no files for this project.",
    )


def _pointing(folder: str, obstacle: Obstacle) -> str:
    """Return where a link points, and which folder that makes, if it is inside the repository."""
    if obstacle.target is None:
        return ""
    target = obstacle.target.decode("utf-8", "backslashreplace")
    text = target if len(target) <= _SHOWN else f"{target[:_SHOWN]}…"
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(obstacle.path), target))
    inside = not joined.startswith(("/", "..")) and target == text and target.isprintable()
    meant = posixpath.normpath(joined + folder.removeprefix(obstacle.path))
    return f" to {text!r}" + (f" (set the folder to {meant!r})" if inside else "")
