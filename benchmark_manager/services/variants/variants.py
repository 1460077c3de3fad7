"""Create, read and edit variants."""

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.variants.edits import (
    CheckedContent,
    NewVariant,
    created,
    described,
    renamed,
    with_content,
    with_drift,
)
from benchmark_manager.domain.variants.naming import check_modified_name, proposed_names
from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.original import FileType, OriginalFile
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.variant import Drift, Variant, variant_path
from benchmark_manager.services.variants.contents import VariantContents
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.services.variants.editor import NOUN, VariantEditor, require
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.variants.variants import VariantFilter

#: Names that are tried for a new variant.
_PROPOSALS: Final = 100


class VariantService:
    """Creates, reads and edits the variants that are not in the trash."""

    def __init__(
        self,
        stores: VariantStores,
        editor: VariantEditor,
        contents: VariantContents,
        drift: DriftJudge,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._editor = editor
        self._contents = contents
        self._drift = drift
        self._clock = clock

    async def free_name(self, original: OriginalFile) -> str:
        """Return a name that is free now for a new variant of the original."""
        paths = {
            variant_path(original.path, name): name
            for name in proposed_names(original.name, _PROPOSALS)
        }
        taken = await self._stores.variants.taken_paths(original.project_id, paths)
        return next((name for path, name in paths.items() if path not in taken), original.name)

    async def create(
        self,
        principal: Principal,
        project_id: str,
        original_file_id: str,
        *,
        modified_name: str | None,
        content: str | None,
        description: str,
        allow_invalid: bool,
    ) -> Variant:
        """Create a variant of an original; without a name or content it takes the original's.

        Raises:
            NotFoundError, ForbiddenError, InvalidInputError, InvalidContentError
            ConflictError: `name_taken`.
        """
        principal.require("editor", project_id)
        await self._stores.projects.get(project_id)
        original = await self._stores.originals.get_alone(project_id, original_file_id)
        name = original.name if modified_name is None else modified_name
        check_modified_name(name, original.format)
        base = await self._stores.blobs.get(original.sha)
        data = base if content is None else content.encode()
        verdict = await self._contents.check_new(original, data, allow_invalid=allow_invalid)
        now = milliseconds(self._clock())
        [content_sha, _] = await self._stores.blobs.put([data, base], None, now)
        stored = CheckedContent(content_sha, hashlib.sha256(data).hexdigest(), len(data), verdict)
        new = NewVariant(name, description, stored, original, now, principal.name)

        async def build(session: Session) -> Variant:
            held = await self._stores.originals.hold(project_id, original_file_id, session)
            drift = await self._drift.drift(held, original.sha, content_sha)
            return created(Database.new_id(), new, held, drift)

        return await self._editor.create(principal, build)

    async def get(self, principal: Principal, variant_id: str, needed: Role = "reader") -> Variant:
        """Return the variant, unless its project was deleted.

        Raises:
            NotFoundError: also where the principal may not read it.
            ForbiddenError: the principal does not have the role `needed` in its project.
        """
        variant = await self._stores.variants.get(variant_id)
        require(principal, needed, variant, variant_id)
        try:
            await self._stores.projects.get(variant.project_id)
        except NotFoundError:
            raise NotFoundError(NOUN, variant_id) from None
        return variant

    async def with_content(self, principal: Principal, variant_id: str) -> tuple[Variant, bytes]:
        """Return the variant and its content, unless its project was deleted.

        Raises:
            NotFoundError: also where the principal may not read it.
        """
        variant, content = await self._stores.variants.get_with_content(variant_id)
        require(principal, "reader", variant, variant_id)
        return variant, content

    async def content(self, variant: Variant) -> bytes:
        """Return the variant's content."""
        return await self._stores.blobs.get(variant.content_sha)

    async def page(
        self,
        project_id: str,
        request: PageRequest,
        *,
        original_file_id: str | None = None,
        file_type: FileType | None = None,
        drift: Drift | None = None,
        query: str | None = None,
    ) -> Page[Variant]:
        """Return a page of a project's variants, by path.

        Raises:
            NotFoundError, InvalidInputError
        """
        drifts = None if drift is None else [drift]
        wanted = VariantFilter(original_file_id, file_type, drifts, query)
        try:
            return await self._stores.variants.page(project_id, request, wanted)
        except (InvalidInputError, NotFoundError):
            # A deleted project is reported before any other problem.
            await self._stores.projects.get(project_id)
            raise

    async def update(
        self,
        principal: Principal,
        variant_id: str,
        *,
        modified_name: str | None,
        content: str | None,
        description: str | None,
        allow_invalid: bool,
        expected_revisions: Collection[int] | None,
    ) -> Variant:
        """Change the fields that are given; None keeps a field.

        Saving without a change makes no revision.

        Raises:
            NotFoundError, ForbiddenError, InvalidInputError, InvalidContentError
            StaleError: the variant is not at one of `expected_revisions` (None accepts any).
            ConflictError: `name_taken`.
        """
        variant = await self.get(principal, variant_id, "editor")
        expect_revision(variant, expected_revisions)
        # The present name was accepted before. It is stored all the same: another person may
        # rename the variant meanwhile.
        if modified_name is not None and modified_name != variant.modified_name:
            check_modified_name(modified_name, variant.format)
        stored = (
            None
            if content is None
            else await self._contents.store(variant, content.encode(), allow_invalid=allow_invalid)
        )

        async def edit(current: Variant, session: Session) -> Variant:
            edited = current if modified_name is None else renamed(current, modified_name)
            edited = edited if description is None else described(edited, description)
            edited = edited if stored is None else with_content(edited, stored)
            # Only another content can change the drift.
            same = edited.content_sha == current.content_sha
            return edited if same else await self._with_drift(edited, session)

        edited = await self._editor.edit(
            principal, variant_id, edit, expected_revisions=expected_revisions
        )
        return edited.after

    async def _with_drift(self, variant: Variant, session: Session) -> Variant:
        original = await self._stores.originals.hold(
            variant.project_id, variant.original_file_id, session
        )
        drift = await self._drift.drift(original, variant.base_sha, variant.content_sha)
        return with_drift(variant, drift)
