"""Upstream moved: what a rebase would do, deciding conflicts, and the merged text by hand."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.domain.merge import MergeUnresolvedError
from benchmark_manager.errors import BenchmarkManagerError, ConflictError, InvalidInputError, StaleError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency
from benchmark_manager.services.merging import MergePreview, MergeService
from benchmark_manager.web import PREFIX
from benchmark_manager.web.decisions import CONFLICTS_AT_MOST, Decision, read_decisions
from benchmark_manager.web.editing import edited_text, sha256_of
from benchmark_manager.web.forms import Form, FormDependency, protected_form
from benchmark_manager.web.modified_files import Draft
from benchmark_manager.web.pages import project_view
from benchmark_manager.web.person import PersonDependency
from benchmark_manager.web.reader import reader_of
from benchmark_manager.web.rendering import render, see_other
from benchmark_manager.web.text_diff import diff_rows, unified

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)])

_UNPROCESSABLE: Final = 422
_STALE: Final = 412


class _MovedError(Exception):
    """Upstream moved once more since the person saw its text."""


@dataclass(slots=True)
class _Merge:
    """A merge as its page shows it: `result` is its text as far as it is decided, None where it cannot be written."""

    preview: MergePreview
    decisions: tuple[Decision, ...]
    result: str | None = None
    error: BenchmarkManagerError | None = None
    moved: bool = False
    allow_invalid: bool = False

    @classmethod
    async def of(cls, merging: MergeService, preview: MergePreview, form: Form) -> "_Merge":
        """With what the form says; where it says nothing yet, the result shows mine."""
        conflicts = preview.merge.conflicts
        decisions = read_decisions(form, conflicts) if len(conflicts) <= CONFLICTS_AT_MOST else ()
        merge = cls(preview, decisions, allow_invalid=form.ticked("allow_invalid"))
        try:
            merge.result = await merging.resolved(preview, [decision.resolution for decision in decisions])
        except (InvalidInputError, ConflictError) as error:
            is_decided = bool(decisions) and all(decision.is_made for decision in decisions)
            merge.error = error if is_decided else None
        return merge

    @property
    def left(self) -> int:
        return sum(not decision.is_made for decision in self.decisions)

    @property
    def is_too_much(self) -> bool:
        return len(self.preview.merge.conflicts) > len(self.decisions)


@router.get("/modified-files/{modified_file_id}/merge")
async def show_merge(
    request: Request, services: ServicesDependency, modified_file_id: str, form: FormDependency
) -> Response:
    try:
        preview = await services.merging.preview(modified_file_id)
    except ConflictError as error:
        return await _gone_page(request, services, modified_file_id, error)
    return await _merge_page(request, services, await _Merge.of(services.merging, preview, form))


@router.post("/modified-files/{modified_file_id}/merge/preview")
async def preview_decisions(
    request: Request, services: ServicesDependency, modified_file_id: str, form: FormDependency
) -> Response:
    """The page of the merge with what these decisions make; nothing is changed."""
    preview = await services.merging.preview(modified_file_id)
    return await _merge_page(request, services, await _Merge.of(services.merging, preview, form))


@router.post("/modified-files/{modified_file_id}/merge")
async def rebase(
    request: Request, services: ServicesDependency, modified_file_id: str, form: FormDependency, actor: PersonDependency
) -> Response:
    """Merge as it was decided, over the texts that the person saw; whatever stands against it, the decisions stay."""
    merge = await _Merge.of(services.merging, await services.merging.preview(modified_file_id), form)
    try:
        _expect_unmoved(merge.preview, form)
        if merge.left or merge.is_too_much:
            raise MergeUnresolvedError([decision.conflict.path for decision in merge.decisions if not decision.is_made])
        await services.merging.rebase(
            modified_file_id,
            resolutions=[decision.resolution for decision in merge.decisions],
            content=None,
            expected_original=merge.preview.original.sha,
            allow_invalid=merge.allow_invalid,
            expected_revisions=frozenset({form.number("revision") or 0}),
            actor=actor,
        )
    except (StaleError, _MovedError):
        merge = await _Merge.of(services.merging, await services.merging.preview(modified_file_id), form)
        merge.moved = True
        return await _merge_page(request, services, merge, status_code=_STALE)
    except (InvalidInputError, ConflictError) as error:
        merge.error = error
        return await _merge_page(request, services, merge, status_code=_UNPROCESSABLE)
    return see_other(f"{PREFIX}/modified-files/{modified_file_id}", "rebased")


def _expect_unmoved(preview: MergePreview, form: Form) -> None:
    if form.line("theirs_sha") != preview.original.sha:
        raise _MovedError


@router.get("/modified-files/{modified_file_id}/merge/edit")
async def start_by_hand(
    request: Request, services: ServicesDependency, modified_file_id: str, form: FormDependency
) -> Response:
    return await _start_by_hand(request, services, modified_file_id, form)


@router.post("/modified-files/{modified_file_id}/merge/edit")
async def continue_by_hand(
    request: Request, services: ServicesDependency, modified_file_id: str, form: FormDependency
) -> Response:
    """The result of the decisions so far, in an editor; nothing is changed."""
    return await _start_by_hand(request, services, modified_file_id, form)


async def _start_by_hand(request: Request, services: Services, modified_file_id: str, form: Form) -> Response:
    merge = await _Merge.of(services.merging, await services.merging.preview(modified_file_id), form)
    file = merge.preview.file
    text = merge.preview.mine if merge.result is None else merge.result
    draft = Draft.stored(file.modified_name, file.description, text, file.revision, ())
    return await _editor_page(request, services, merge.preview, draft)


@router.post("/modified-files/{modified_file_id}/merge/text")
async def rebase_on_text(
    request: Request, services: ServicesDependency, modified_file_id: str, form: FormDependency, actor: PersonDependency
) -> Response:
    """Take a text which a person merged by hand; it stays on the page whatever stands against it."""
    preview = await services.merging.preview(modified_file_id)
    shown = _shown(preview, form)
    draft = Draft.typed(form, shown)
    draft.modified_name = preview.file.modified_name
    try:
        _expect_unmoved(preview, form)
        await services.merging.rebase(
            modified_file_id,
            resolutions=(),
            content=edited_text(form, shown),
            expected_original=preview.original.sha,
            allow_invalid=draft.allow_invalid,
            expected_revisions=frozenset({draft.revision}),
            actor=actor,
        )
    except (StaleError, _MovedError):
        preview = await services.merging.preview(modified_file_id)
        draft.revision = preview.file.revision
        return await _editor_page(request, services, preview, draft, status_code=_STALE, moved=True)
    except (InvalidInputError, ConflictError) as error:
        draft.refuse(error, reader_of(request))
        return await _editor_page(request, services, preview, draft, status_code=_UNPROCESSABLE)
    return see_other(f"{PREFIX}/modified-files/{modified_file_id}", "rebased")


def _shown(preview: MergePreview, form: Form) -> str:
    """The text which the editor began with, as far as it is known still: for the exact bytes of what was not typed."""
    sha256 = form.text("original_sha256")
    texts = (preview.merge.content, preview.mine, preview.theirs)
    return next((text for text in texts if text is not None and sha256_of(text) == sha256), preview.mine)


async def _merge_page(request: Request, services: Services, merge: _Merge, *, status_code: int = 200) -> Response:
    preview, file = merge.preview, merge.preview.file
    names = (file.path, file.path)
    return render(
        request,
        "merge.html",
        status_code=status_code,
        view=await project_view(services, file.project_id),
        file=file,
        merge=merge,
        diff=() if merge.result is None else diff_rows(unified(preview.mine, merge.result, names)),
        upstream=diff_rows(unified(preview.base, preview.theirs, (file.original_path, preview.original.path))),
    )


async def _editor_page(
    request: Request,
    services: Services,
    preview: MergePreview,
    draft: Draft,
    *,
    status_code: int = 200,
    moved: bool = False,
) -> Response:
    file = preview.file
    return render(
        request,
        "merge_edit.html",
        status_code=status_code,
        view=await project_view(services, file.project_id),
        file=file,
        preview=preview,
        draft=draft,
        moved=moved,
        mine=diff_rows(unified(preview.base, preview.mine, (file.original_path, file.path))),
        upstream=diff_rows(unified(preview.base, preview.theirs, (file.original_path, preview.original.path))),
    )


async def _gone_page(
    request: Request, services: Services, modified_file_id: str, error: BenchmarkManagerError
) -> Response:
    file = await services.modified_files.get(modified_file_id)
    view = await project_view(services, file.project_id)
    return render(request, "merge_gone.html", view=view, file=file, error=error)
