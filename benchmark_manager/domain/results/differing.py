"""The files that do not have one content in all compared releases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from benchmark_manager.models.release_contents import FileContent, ReleaseContents

Files: TypeAlias = Mapping[str, FileContent]


@dataclass(frozen=True, slots=True)
class DifferingFile:
    """A path and the different contents that releases have there.

    `of_releases` has the number of each release's content; a release without the file is not in it.
    """

    path: str
    contents: tuple[FileContent, ...]
    of_releases: Mapping[str, int]


def needed_bases(releases: Sequence[ReleaseContents]) -> set[str]:
    """Return the shared lists whose files have to be known.

    None are where all releases replace the same files of one list: the others are equal.
    """
    shared = {(release.base, frozenset(release.files)) for release in releases}
    if len(shared) == 1 and None not in {base for base, _ in shared}:
        return set()
    return {release.base for release in releases if release.base is not None}


def differing_files(
    releases: Sequence[ReleaseContents], bases: Mapping[str, Files], most: int
) -> tuple[list[DifferingFile], bool]:
    """Return the first `most` differing files by path, and whether these are all.

    `bases` are the needed ones by their ids.
    """
    found = _differing(releases, bases)
    files = list(islice(found, most))
    return files, next(found, None) is None


def _differing(
    releases: Sequence[ReleaseContents], bases: Mapping[str, Files]
) -> Iterator[DifferingFile]:
    none: Files = {}
    below = [bases.get(release.base or "", none) for release in releases]
    for path in sorted(_suspects(releases, bases)):
        contents: dict[FileContent, int] = {}
        of_releases: dict[str, int] = {}
        for release, base in zip(releases, below, strict=True):
            content = release.files.get(path) or base.get(path)
            if content is not None:
                of_releases[release.digest] = contents.setdefault(content, len(contents))
        if len(contents) > 1 or len(of_releases) < len(releases):
            yield DifferingFile(path, tuple(contents), of_releases)


def _suspects(releases: Sequence[ReleaseContents], bases: Mapping[str, Files]) -> set[str]:
    """Return the paths that some cell replaces, or in which whole lists differ."""
    whole = [release.files for release in releases if release.base is None]
    whole += [bases[base] for base in sorted(bases)]
    paths = {path for release in releases if release.base is not None for path in release.files}
    for files in whole[1:]:
        paths.update(path for path, _ in whole[0].items() ^ files.items())
    return paths
