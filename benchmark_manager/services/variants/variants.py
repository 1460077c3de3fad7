"""Making, reading and changing modified files."""

import hashlib
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from benchmark_manager.domain.variants.naming import check_modified_name, proposed_names
from benchmark_manager.errors import (
    InvalidContentError,
    InvalidInputError,
    NotFoundError,
    StaleError,
    TooComplexError,
)
from benchmark_manager.models.original import FileFormat, FileType, OriginalFile
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.problem import Validity, Verdict
from benchmark_manager.models.revision import RevisionKind
from benchmark_manager.models.variant import Drift, Variant, variant_path
from benchmark_manager.services.texts.text_work import TOO_COMPLEX
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.variants.variants import VariantStore

#: Names that are tried for a new variant.
_PROPOSALS: Final = 100


class VariantService:
    """The verbs of modified files which are there. Nothing here ever writes an original."""

    def __init__(
        self,
        database: Database,
        projects: ProjectStore,
        originals: OriginalFileStore,
        modified: VariantStore,
        blobs: BlobStore,
        drift: DriftJudge,
        validation: ValidationService,
        *,
        max_file_size: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._projects = projects
        self._originals = originals
        self._modified = modified
        self._blobs = blobs
        self._drift = drift
        self._validation = validation
        self._max_file_size = max_file_size
        self._clock = clock

    async def free_name(self, original: OriginalFile) -> str:
        """A name that a new variant of the original may have, if nobody takes it meanwhile."""
        paths = {
            variant_path(original.path, name): name
            for name in proposed_names(original.name, _PROPOSALS)
        }
        taken = await self._modified.taken_paths(original.project_id, paths)
        return next((name for path, name in paths.items() if path not in taken), original.name)

    async def create(
        self,
        project_id: str,
        original_file_id: str,
        *,
        modified_name: str | None,
        content: str | None,
        description: str,
        allow_invalid: bool,
        actor: str,
    ) -> Variant:
        """Make a variant of an original; without a name or content it takes the original's.

        Raises:
            NotFoundError, InvalidInputError, InvalidContentError
            ConflictError: `name_taken`.
        """
        await self._projects.get(project_id)
        original = await self._originals.get(project_id, original_file_id)
        name = original.name if modified_name is None else modified_name
        check_modified_name(name, original.format)
        base = await self._blobs.get(original.sha)
        data = base if content is None else content.encode()
        verdict = await self._checked(
            data, original.format, original.file_type, original.validity, allow_invalid
        )
        now = milliseconds(self._clock())
        [content_sha, _] = await self._blobs.put([data, base], None, now)

        async def work(session: Session) -> Variant:
            held = await self._originals.hold(project_id, original_file_id, session)
            file = Variant(
                id=Database.new_id(),
                project_id=project_id,
                original_file_id=original_file_id,
                original_path=held.path,
                modified_name=name,
                file_type=held.file_type,
                format=held.format,
                description=description,
                base_sha=original.sha,
                base_commit_sha=original.commit_sha,
                content_sha=content_sha,
                content_sha256=hashlib.sha256(data).hexdigest(),
                size=len(data),
                revision=1,
                drift=await self._drift.drift(held, original.sha, content_sha),
                validity=verdict.validity,
                problems=verdict.problems,
                created_at=now,
                updated_at=now,
                created_by=actor,
                updated_by=actor,
            )
            await self._modified.insert([file], session)
            return file

        return await self._database.transaction(work)

    async def _checked(
        self,
        data: bytes,
        file_format: FileFormat,
        file_type: FileType,
        original_validity: Validity,
        allow: bool,
    ) -> Verdict:
        """The verdict on a content which may be saved; an original that does not parse asks nothing of its variants."""
        if len(data) > self._max_file_size:
            raise InvalidInputError(
                "too_large",
                f"The content has {len(data)} bytes; at most {self._max_file_size} are allowed.",
                field="content",
            )
        try:
            verdict = await self._validation.validate(data.decode(), file_format, file_type)
        except TooComplexError:
            # Whoever takes what does not parse takes what cannot be read.
            if not allow and original_validity == "valid":
                raise
            verdict = TOO_COMPLEX
        if verdict.validity != "valid" and not allow and original_validity == "valid":
            raise InvalidContentError(verdict.problems)
        return verdict

    async def get(self, variant_id: str) -> Variant:
        """The modified file, unless its project is gone.

        Raises:
            NotFoundError
        """
        file = await self._modified.get(variant_id)
        try:
            await self._projects.get(file.project_id)
        except NotFoundError:
            raise NotFoundError("modified file", variant_id) from None
        return file

    async def with_content(self, variant_id: str) -> tuple[Variant, bytes]:
        """The modified file and its content, unless its project is gone.

        Raises:
            NotFoundError
        """
        return await self._modified.get_with_content(variant_id)

    async def content(self, file: Variant) -> bytes:
        return await self._blobs.get(file.content_sha)

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
        """A page by path.

        Raises:
            NotFoundError, InvalidInputError
        """
        try:
            return await self._modified.page(
                project_id,
                request,
                original_file_id=original_file_id,
                file_type=file_type,
                drift=drift,
                query=query,
            )
        except (InvalidInputError, NotFoundError):
            # Where the project is gone, the reader is informed of that first.
            await self._projects.get(project_id)
            raise

    async def update(
        self,
        variant_id: str,
        *,
        modified_name: str | None,
        content: str | None,
        description: str | None,
        allow_invalid: bool,
        expected_revisions: Collection[int] | None,
        actor: str,
    ) -> Variant:
        """Change what is given (None: stays). A save without a change makes no revision.

        Raises:
            NotFoundError, InvalidInputError, InvalidContentError
            StaleError: the file is not at one of `expected_revisions` (None: any will do).
            ConflictError: `name_taken`.
        """
        file = await self.get(variant_id)
        expect_revision(file, expected_revisions)
        changes: dict[str, object] = {}
        if modified_name is not None:
            # A name which it has was accepted once; it is still asked for, should somebody rename
            # the file meanwhile.
            if modified_name != file.modified_name:
                check_modified_name(modified_name, file.format)
            changes["modified_name"] = modified_name
        if description is not None:
            changes["description"] = description
        if content is not None:
            changes |= await self.accepted(file, content.encode(), allow_invalid)

        async def work(session: Session) -> Variant:
            current = await self._modified.get(variant_id, session)
            expect_revision(current, expected_revisions)
            changed = current.model_copy(update=changes)
            if changed == current:
                return current
            changed = changed.model_copy(
                update={
                    "revision": current.revision + 1,
                    "drift": await self._drift_since(current, changed, session),
                    "updated_at": milliseconds(self._clock()),
                    "updated_by": actor,
                }
            )
            await self._modified.replace(
                current, changed, _kind_of_change(current, changed), session
            )
            return changed

        return await self._database.transaction(work)

    async def _drift_since(self, before: Variant, after: Variant, session: Session) -> Drift:
        """A name says nothing of the original; another content may contradict it, or no longer."""
        if after.content_sha == before.content_sha:
            return before.drift
        original = await self._originals.hold(after.project_id, after.original_file_id, session)
        return await self._drift.drift(original, after.base_sha, after.content_sha)

    async def check(self, file: Variant, data: bytes, *, allow_invalid: bool) -> Verdict:
        """Return the verdict on a content which the file may be saved with; nothing is stored.

        Raises:
            InvalidInputError, InvalidContentError
        """
        # What is stored already was accepted once; renaming it must not ask again.
        if hashlib.sha256(data).hexdigest() == file.content_sha256:
            return Verdict(validity=file.validity, problems=file.problems)
        original = await self._originals.get(file.project_id, file.original_file_id)
        return await self._checked(
            data, file.format, file.file_type, original.validity, allow_invalid
        )

    async def accepted(self, file: Variant, data: bytes, allow_invalid: bool) -> dict[str, object]:
        """Check and store a content for a file; returns the fields which it changes.

        Raises:
            InvalidInputError, InvalidContentError
        """
        sha256 = hashlib.sha256(data).hexdigest()
        verdict = await self.check(file, data, allow_invalid=allow_invalid)
        problems_id = file.problems_id if sha256 == file.content_sha256 else None
        [content_sha] = await self._blobs.put([data], None, self._clock())
        return {
            "content_sha": content_sha,
            "content_sha256": sha256,
            "size": len(data),
            "validity": verdict.validity,
            "problems": verdict.problems,
            "problems_id": problems_id,
        }


def expect_revision(file: Variant, expected: Collection[int] | None) -> None:
    """Pass when the file is at one of the `expected` revisions (None: any will do).

    Raises:
        StaleError
    """
    if expected is not None and file.revision not in expected:
        raise StaleError(file.revision)


def _kind_of_change(before: Variant, after: Variant) -> RevisionKind:
    renamed = before.modified_name != after.modified_name
    return "renamed" if renamed and before.content_sha == after.content_sha else "edited"
