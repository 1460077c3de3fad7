"""Make, read and change releases."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmark_manager.domain.releases.digest import provenance_id, release_digest
from benchmark_manager.domain.releases.edits import changed_fields, edited_release
from benchmark_manager.domain.releases.files import chosen, with_sums
from benchmark_manager.domain.releases.substitutes import NO_SUBSTITUTES, named, substitutes_for
from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.errors import ForbiddenError, InvalidInputError
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.recorded_change import RecordedChange
from benchmark_manager.models.release import (
    Making,
    Release,
    ReleaseContents,
    ReleaseDraft,
    ReleaseFile,
)
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.access.recording import ChangeRecorder, record_nothing
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.variants.variants import VariantStore


@dataclass(frozen=True, slots=True)
class Origins:
    """What a project still has of the files that its releases came from.

    `originals` are ids by path, removed ones included; `modified` are ids of variants.
    """

    originals: Mapping[str, str]
    modified: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReleaseStores:
    """The database, the store of releases, and those of what releases are made from."""

    database: Database
    projects: ProjectStore
    originals: OriginalFileStore
    variants: VariantStore
    blobs: BlobStore
    releases: ReleaseStore


class ReleaseService:
    """Makes, reads and changes releases; `ReleaseDelivery` delivers their contents."""

    def __init__(
        self,
        stores: ReleaseStores,
        *,
        clock: Callable[[], datetime],
        record: ChangeRecorder = record_nothing,
    ) -> None:
        """`record` is called with every change, in the transaction that makes it."""
        self._stores = stores
        self._clock = clock
        self._record = record

    async def make(
        self,
        principal: Principal,
        project_id: str,
        *,
        name: str,
        description: str,
        pinned: bool,
        contents: ReleaseContents,
        variant_ids: Collection[str] | None,
        substitutes: Mapping[str, str] = NO_SUBSTITUTES,
    ) -> tuple[Release, bool]:
        """Make a release of a project's files as they are at one moment.

        Equal contents are one release: a later making is added to the first. Pinning takes a
        maintainer. `substitutes` are ids of variants that replace their originals, by the paths of
        those.

        Returns:
            The release, and whether it is new to the principal.

        Raises:
            NotFoundError, ForbiddenError
            InvalidInputError: `nothing_to_release`, `path_clash`, `substitute_mismatch`,
                `invalid_request`.
        """
        principal.require("maintainer" if pinned else "editor", project_id)
        files = await self._files_now(project_id, contents, variant_ids, substitutes)
        if not files:
            raise InvalidInputError("nothing_to_release")
        draft = ReleaseDraft(
            project_id=project_id,
            name=name,
            description=description,
            pinned=pinned,
            created_at=milliseconds(self._clock()),
            created_by=principal.name,
        )
        digest, provenance = await self._stage(files, draft.created_at)

        async def work(session: Session) -> tuple[Release, bool]:
            await self._stores.projects.get(project_id, session)
            release, new = await self._stores.releases.make(
                draft, digest, provenance, files, principal.readable(), session
            )
            await self._record([_made(principal, draft, release)], session)
            return release, new

        return await self._stores.database.transaction(work)

    async def _stage(self, files: Sequence[ReleaseFile], now: datetime) -> tuple[str, str]:
        """Store the files before the transaction; return their digest and their provenance."""
        digest = await asyncio.to_thread(release_digest, files)
        provenance = await asyncio.to_thread(provenance_id, files)
        await self._stores.releases.stage(digest, provenance, files, now)
        return digest, provenance

    async def substitutes_for(
        self, project_id: str, variant_ids: Collection[str]
    ) -> dict[str, str]:
        """Return the substitutes that put each of these variants in place of its original.

        Raises:
            NotFoundError
            InvalidInputError: `invalid_request` where two have one original.
        """
        variants = await self._stores.variants.of_project(project_id) if variant_ids else []
        return substitutes_for(named(variants, variant_ids))

    async def effective(
        self, project_id: str, substitutes: Mapping[str, str] = NO_SUBSTITUTES
    ) -> tuple[str, list[ReleaseFile]]:
        """Return the digest and the files that a release of all files would have now.

        Raises:
            NotFoundError
            InvalidInputError: `path_clash`, `substitute_mismatch`.
        """
        files = await self._files_now(project_id, "all", None, substitutes)
        return await asyncio.to_thread(release_digest, files), files

    async def _files_now(
        self,
        project_id: str,
        contents: ReleaseContents,
        variant_ids: Collection[str] | None,
        substitutes: Mapping[str, str],
    ) -> list[ReleaseFile]:
        async def read(session: Session) -> tuple[Sequence[OriginalFile], Sequence[Variant]]:
            await self._stores.projects.get(project_id, session)
            originals = (
                []
                if contents == "modified" and not substitutes
                else await self._stores.originals.present(project_id, session)
            )
            return originals, await self._stores.variants.of_project(project_id, session)

        # All files of one moment: no release may have half of a sync. Their contents stay for at
        # least a day.
        found = await self._stores.database.snapshot(read)
        # In threads, since projects may have tens of thousands of files.
        originals, modified = await asyncio.to_thread(
            chosen, *found, contents, variant_ids, substitutes
        )
        sha256s = await self._stores.blobs.sha256s(file.sha for file in originals)
        return await asyncio.to_thread(with_sums, originals, modified, sha256s)

    async def page(
        self,
        principal: Principal,
        project_id: str,
        request: PageRequest,
        *,
        cells: bool = False,
    ) -> Page[Release]:
        """Return a page of the releases that the project made, newest first.

        Those that only sweeps made are left out unless `cells` is true.

        Raises:
            NotFoundError
        """
        principal.require("reader", project_id)
        await self._stores.projects.get(project_id)
        readable = principal.readable()
        return await self._stores.releases.page(project_id, request, readable, cells=cells)

    async def get(self, principal: Principal, reference: str, needed: Role = "reader") -> Release:
        """Return the release whose digest is, or begins with, `reference`, as it may be read.

        Raises:
            NotFoundError: also where the principal may read none of the projects that made it.
            ForbiddenError: the principal has the role `needed` in none of them.
            InvalidInputError: `digest_too_short`.
            ConflictError: `digest_ambiguous`.
        """
        release = await self._stores.releases.find(reference, principal.readable())
        if needed != "reader":
            _project_for(principal, needed, release)
        return release

    async def makings(self, release: Release) -> list[Making]:
        """Return the first makings of the release by its projects."""
        return await self._stores.releases.makings(release)

    async def files(self, release: Release, making: int = 1) -> list[ReleaseFile]:
        """Return the release's files, with their origins at that making.

        Raises:
            NotFoundError: there is no making of this number.
        """
        if making == 1:
            return await self._stores.releases.files(release)
        return await self._stores.releases.files(
            release, (await self._stores.releases.making(release, making)).provenance
        )

    async def origins(self, project_id: str, files: Sequence[ReleaseFile]) -> Origins:
        """Return what the project still has of the origins of these files of its releases.

        A deleted project has none.
        """
        originals = await self._stores.originals.ids_by_path(
            project_id, {file.path for file in files}
        )
        ids = {file.modified_file_id for file in files if file.modified_file_id is not None}
        return Origins(originals, frozenset(await self._stores.variants.existing(project_id, ids)))

    async def update(
        self,
        principal: Principal,
        reference: str,
        *,
        name: str | None,
        description: str | None,
        pinned: bool | None,
        expected_revisions: Collection[int] | None,
    ) -> Release:
        """Change the fields that are given; None keeps a field.

        It takes an editor of one of the projects that made it, and a maintainer of one to pin it or
        to remove its pin.

        Raises:
            NotFoundError, InvalidInputError, ConflictError: as `get`.
            ForbiddenError
            StaleError: the release is not at one of `expected_revisions` (None accepts any).
        """

        async def work(session: Session) -> Release:
            before = await self._stores.releases.find(reference, principal.readable(), session)
            needed: Role = "editor" if pinned in {None, before.pinned} else "maintainer"
            project_id = _project_for(principal, needed, before)
            expect_revision(before, expected_revisions)
            after = edited_release(before, name=name, description=description, pinned=pinned)
            if after != before:
                await self._stores.releases.change(after, session)
                await self._record([_edited(principal, project_id, before, after)], session)
            return after

        return await self._stores.database.transaction(work)


def may(principal: Principal, needed: Role, release: Release) -> bool:
    """Return whether the principal has a role in one of the projects that made a release."""
    return any(principal.may(needed, project_id) for project_id in release.project_ids)


def _project_for(principal: Principal, needed: Role, release: Release) -> str:
    """Return the project in which the principal has the role to change a release.

    Raises:
        ForbiddenError: there is none; it names the first project that the principal may read.
    """
    made_by = (release.project_id, *release.project_ids)
    for project_id in made_by:
        if principal.may(needed, project_id):
            return project_id
    readable = (project_id for project_id in made_by if principal.may("reader", project_id))
    raise ForbiddenError(needed, project_id=next(readable, None))


def _made(principal: Principal, draft: ReleaseDraft, release: Release) -> RecordedChange:
    """Return the change that a making is, whether or not it is the release's first."""
    return RecordedChange(
        action="release.create",
        principal=principal,
        project_id=draft.project_id,
        object_id=release.digest,
        name=release.name,
        before=None,
        after=release.revision,
    )


def _edited(
    principal: Principal, project_id: str, before: Release, after: Release
) -> RecordedChange:
    return RecordedChange(
        action="release.edit",
        principal=principal,
        project_id=project_id,
        object_id=after.digest,
        name=after.name,
        keys=changed_fields(before, after),
        before=before.revision,
        after=after.revision,
    )
