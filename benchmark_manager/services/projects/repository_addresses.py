"""Split addresses in which only GitHub knows where the branch ends and the folder begins."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.projects.refs import ref_of, ref_of_branch
from benchmark_manager.domain.projects.repository_url import ParsedRepositoryUrl, RefAndPath
from benchmark_manager.errors import (
    BenchmarkManagerError,
    GitHubError,
    GitHubUnavailableError,
    InvalidInputError,
    TokenUnreadableError,
)
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.models.project import Ref

_FIELD: Final = "address"
#: Limit of the requests to GitHub, seconds: a person waits.
_SECONDS: Final = 8.0


@dataclass(frozen=True, slots=True)
class Located:
    """The ref and the folder of an address; None where it has none."""

    ref: Ref | None
    folder: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """What a person gave beside an address.

    With `has_ref`, a `ref` of None is the default branch.
    """

    ref: Ref | None
    has_ref: bool
    has_folder: bool


async def locate(
    parsed: ParsedRepositoryUrl, given: Given, client: Callable[[], Awaitable[RepositoryClient]]
) -> Located:
    """Find the ref and the folder of an address; what was `given` beside it counts more.

    GitHub is asked only for an address with `/tree/…` or the like, at most twice: for the branches
    whose names begin with its first segment, then for such tags. An address without a path is taken
    as a branch where GitHub does not answer or has no such ref; a sync then reports the problem.

    Raises:
        InvalidInputError: `ambiguous_address` where GitHub did not answer, `branch_not_found` where
            it has no such branch or tag, and `contradictory_ref` where the address may have a
            folder after another ref than the given one.
    """
    text = parsed.ref_and_path
    if given.has_ref:
        return _beside(parsed, given)
    if text is None:
        return Located(parsed.ref, parsed.folder)
    try:
        async with asyncio.timeout(_SECONDS):
            found = await _asked(text, await client())
    except (GitHubError, TokenUnreadableError, TimeoutError) as error:
        if text.may_have_path:
            raise _ambiguous(error) from None
        found = None
    if found is not None:
        return found
    if text.may_have_path:
        raise InvalidInputError("branch_not_found", "address", field=_FIELD)
    return Located(
        ref_of("tag", text.text) if text.kinds == ("tag",) else ref_of_branch(text.text), None
    )


def _beside(parsed: ParsedRepositoryUrl, given: Given) -> Located:
    """Return the given ref, and the folder after it in the address."""
    ref, text = given.ref, parsed.ref_and_path
    if text is None:
        return Located(ref, parsed.folder)
    if ref is not None and text.begins_with(ref.name):
        return Located(ref, text.folder_after(ref.name))
    if text.may_have_folder and not given.has_folder:
        raise InvalidInputError("contradictory_ref", "address", field=_FIELD)
    return Located(ref, None)


async def _asked(text: RefAndPath, client: RepositoryClient) -> Located | None:
    """Return the ref that GitHub has. Git never has branches `a` and `a/b` together, nor tags."""
    for kind in text.kinds:
        name = text.longest(await client.matching_refs(kind, text.first))
        if name is not None:
            return Located(Ref(kind=kind, name=name), text.folder_after(name))
    return None


def _ambiguous(error: Exception) -> InvalidInputError:
    cause = error if isinstance(error, BenchmarkManagerError) else GitHubUnavailableError("timeout")
    return InvalidInputError("ambiguous_address", field=_FIELD, cause=cause)
