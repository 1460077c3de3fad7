"""The write path of variants: read, check the revision, apply a typed edit, store and record it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.variants.edits import (
    changed_fields,
    deleted,
    next_revision,
    revision_kind,
    undeleted,
)
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.project import Project
from benchmark_manager.models.recorded_change import ChangeAction, RecordedChange
from benchmark_manager.models.revision import RevisionKind
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.access.recording import ChangeRecorder, record_nothing
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.stores.database.database import Session, milliseconds

#: What errors call a variant.
NOUN: Final = "modified file"
#: Reads what an edit needs in the transaction, and returns the edited variant.
Edit = Callable[[Variant, Session], Awaitable[Variant]]

_ACTIONS: Final[dict[RevisionKind, ChangeAction]] = {
    "edited": "variant.edit",
    "renamed": "variant.rename",
    "rebased": "variant.rebase",
    "reattached": "variant.reattach",
    "restored": "variant.restore",
}


@dataclass(frozen=True, slots=True)
class EditedVariant:
    """A variant before and after an edit."""

    before: Variant
    after: Variant

    @property
    def made_revision(self) -> bool:
        """Whether the edit changed anything."""
        return self.after.revision != self.before.revision


class VariantEditor:
    """Makes every change of a variant, with its revision and its record, in one transaction.

    Two things are written elsewhere: what a sync changes in variants, which is no revision, and the
    steps of a reset that `LargeResets` has published.
    """

    def __init__(
        self,
        stores: VariantStores,
        *,
        clock: Callable[[], datetime],
        record: ChangeRecorder = record_nothing,
    ) -> None:
        """`record` is called with every change, in the transaction that makes it."""
        self._stores = stores
        self._clock = clock
        self._record = record

    async def create(
        self, principal: Principal, build: Callable[[Session], Awaitable[Variant]]
    ) -> Variant:
        """Store the variant that `build` returns.

        Raises:
            NotFoundError, ForbiddenError: the principal may not do this in the variant's project.
            ConflictError: `name_taken`.
        """

        async def work(session: Session) -> Variant:
            variant = await build(session)
            principal.require("editor", variant.project_id)
            await self._stores.variants.insert([variant], session)
            change = recorded(
                "variant.create", principal, variant, before=None, after=variant.revision
            )
            await self._record([change], session)
            return variant

        return await self._stores.database.transaction(work)

    async def edit(
        self,
        principal: Principal,
        variant_id: str,
        edit: Edit,
        *,
        what: RevisionKind | None = None,
        expected_revisions: Collection[int] | None,
    ) -> EditedVariant:
        """Apply an edit to a variant and store the result as its next revision.

        An edit that changes nothing makes no revision. Without `what`, the revision's kind follows
        from the difference.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the variant is not at one of `expected_revisions` (None accepts any).
            ConflictError: `name_taken`.
        """

        async def work(session: Session) -> EditedVariant:
            before = await self._stores.variants.get(variant_id, session)
            require(principal, "editor", before, variant_id)
            expect_revision(before, expected_revisions)
            edited = await edit(before, session)
            if edited == before:
                return EditedVariant(before, before)
            after = next_revision(edited, at=self._now(), by=principal.name)
            kind = what or revision_kind(before, after)
            await self._replace(principal, before, after, kind, session)
            return EditedVariant(before, after)

        return await self._stores.database.transaction(work)

    async def _replace(
        self,
        principal: Principal,
        before: Variant,
        after: Variant,
        what: RevisionKind,
        session: Session,
    ) -> None:
        await self._stores.variants.replace(before, after, what, session)
        # An original that is gone upstream is kept only for the variants that are attached to it.
        if what == "reattached" and before.drift == "upstream_removed":
            await self._stores.originals.drop_unused(before.project_id, session)
        change = recorded(
            _ACTIONS[what],
            principal,
            after,
            before=before.revision,
            after=after.revision,
            keys=changed_fields(before, after),
        )
        await self._record([change], session)

    async def delete(
        self, principal: Principal, variant_id: str, *, expected_revisions: Collection[int] | None
    ) -> None:
        """Move a variant to the trash.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the variant is not at one of `expected_revisions` (None accepts any).
        """

        async def work(session: Session) -> None:
            variant = await self._stores.variants.get(variant_id, session)
            require(principal, "editor", variant, variant_id)
            expect_revision(variant, expected_revisions)
            row = deleted(variant, at=self._now(), by=principal.name)
            await self._stores.variants.delete([variant.id], session)
            await self._stores.trash.insert([row], session)
            change = recorded(
                "variant.delete", principal, variant, before=variant.revision, after=None
            )
            await self._record([change], session)

        await self._stores.database.transaction(work)

    async def reset(self, principal: Principal, project_id: str, reset_id: str) -> int:
        """Move all variants of a project to the trash; return how many there were.

        Raises:
            NotFoundError, ForbiddenError
        """
        principal.require("maintainer", project_id)

        async def work(session: Session) -> int:
            project = await self._stores.projects.get(project_id, session)
            variants = await self._stores.variants.of_project(project_id, session)
            if variants:
                now = self._now()
                by = principal.name
                rows = [deleted(one, at=now, by=by, reset_id=reset_id) for one in variants]
                await self._stores.variants.delete([one.id for one in variants], session)
                await self._stores.trash.insert_reset(reset_id, project_id, rows, now, session)
                await self._record([reset_change(principal, project)], session)
            return len(variants)

        return await self._stores.database.transaction(work)

    async def undelete(
        self, principal: Principal, variants: Sequence[Variant], session: Session
    ) -> list[Variant]:
        """Move variants, as edited since they were read from the trash, back from there.

        Raises:
            NotFoundError, ForbiddenError
            ConflictError: `name_taken`.
        """
        for variant in variants:
            require(principal, "editor", variant, variant.id)
        now = self._now()
        restored = [undeleted(variant, at=now, by=principal.name) for variant in variants]
        await self._stores.trash.delete([variant.id for variant in restored], session)
        await self._stores.variants.insert(restored, session, "restored")
        changes = [
            recorded("variant.undelete", principal, variant, before=None, after=variant.revision)
            for variant in restored
        ]
        await self._record(changes, session)
        return restored

    def _now(self) -> datetime:
        return milliseconds(self._clock())


def require(principal: Principal, needed: Role, variant: Variant, asked_id: str) -> None:
    """Check the role in a variant's project; `asked_id` is the id that the principal gave.

    Raises:
        NotFoundError: the project may not be read.
        ForbiddenError
    """
    principal.require(needed, variant.project_id, noun=NOUN, id=asked_id)


def recorded(
    action: ChangeAction,
    principal: Principal,
    variant: Variant,
    *,
    before: int | None,
    after: int | None,
    keys: tuple[str, ...] = (),
) -> RecordedChange:
    """Return the record of a change of this variant."""
    return RecordedChange(
        action=action,
        principal=principal,
        project_id=variant.project_id,
        object_id=variant.id,
        name=variant.path,
        keys=keys,
        before=before,
        after=after,
    )


def reset_change(principal: Principal, project: Project) -> RecordedChange:
    """Return the change that a reset is: one of the project, however many variants it deletes."""
    return RecordedChange.of_project("project.reset", principal, project)
