"""Receipts: what a machine says that it put in place, compared with a release."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.models.result import ReceiptDraft, ReceiptStatus

#: Paths that a receipt keeps of those that differ, and characters in all of them.
MOST_DIFFERING: Final = 1000
_MOST_CHARACTERS: Final = 256 * 1024
#: How long after a receipt the results of its token belong to it, unless they name another one.
FOLLOWED_BY_RESULTS: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a receipt says about a release's files; `differing` may be cut, `count` is of all."""

    status: ReceiptStatus
    differing: tuple[str, ...] = ()
    count: int = 0


def judge_digest(draft: ReceiptDraft, digest: str) -> Judgement:
    """Compare a draft that lists no files with the digest of a release, with its prefix."""
    if draft.digest is None:
        return Judgement("not_verified")
    return Judgement("verified" if draft.digest == digest else "differs")


def judge_files(draft: ReceiptDraft, files: Iterable[ReleaseFile]) -> Judgement:
    """Compare the files of a draft with those of a release: missing, changed and additional ones.

    It has to run in a thread, since both may have tens of thousands of files.
    """
    here = {file.path: file.sha256 for file in draft.files}
    differing = sorted(_differing(here, {file.path: file.sha256 for file in files}))
    status: ReceiptStatus = "differs" if differing else "verified"
    return Judgement(status, tuple(_first(differing)), len(differing))


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> Iterable[str]:
    return (path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def _first(paths: Iterable[str]) -> Iterable[str]:
    """Yield as many paths as one document holds."""
    left = _MOST_CHARACTERS
    for number, path in enumerate(paths):
        left -= len(path)
        if number == MOST_DIFFERING or left < 0:
            return
        yield path
