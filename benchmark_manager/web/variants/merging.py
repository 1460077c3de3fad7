"""Pages of a rebase: the preview, decisions about conflicts, and merging by hand."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.domain.merge import MergeUnresolvedError
from benchmark_manager.domain.text import Extent
from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidInputError,
    StaleError,
    TooComplexError,
    WorkersBusyError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.variants.merging import MergePreview, MergeTexts
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.editing import sha256_of
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.pages import project_view, refusal_status
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.texts.limits import COMPARED, COMPARED_BESIDE, CONFLICT_CHARACTERS
from benchmark_manager.web.texts.listing import PartParameter
from benchmark_manager.web.texts.text_diff import DrawnDifferences, differences
from benchmark_manager.web.variants.decisions import (
    CONFLICTS_AT_MOST,
    CONFLICTS_SHOWN,
    Decision,
    read_decisions,
)
from benchmark_manager.web.variants.reattaching import reattach_page
from benchmark_manager.web.variants.routes import Draft

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_STALE: Final = 412
#: Characters of a side of a conflict, if few conflicts share the page.
_LONGEST_SIDE: Final = 2000


class _OriginalChangedError(Exception):
    """The original has changed again since the person saw its text."""


@dataclass(slots=True)
class _Merge:
    """A merge on its page; `result` is the merged text so far, or None if there is none.

    The page shows one part of many conflicts, and keeps the decisions about the others.
    """

    preview: MergePreview
    decisions: tuple[Decision, ...]
    conflicts_part: int = 1
    result_part: int = 1
    result: str | None = None
    error: BenchmarkManagerError | None = None
    outdated: bool = False
    allow_invalid: bool = False

    @classmethod
    async def of(cls, services: Services, preview: MergePreview, form: Form) -> "_Merge":
        """Return the merge with the form's decisions; undecided conflicts keep mine."""
        conflicts = preview.merge.conflicts
        decisions = read_decisions(form, conflicts) if len(conflicts) <= CONFLICTS_AT_MOST else ()
        merge = cls(
            preview,
            decisions,
            conflicts_part=form.number("conflicts") or 1,
            result_part=form.number("result") or 1,
            allow_invalid=form.ticked("allow_invalid"),
        )
        merge.forget_unseen()
        decisions = merge.decisions
        try:
            merge.result = await services.merging.resolved(
                preview, [decision.resolution for decision in decisions]
            )
        except (InvalidInputError, ConflictError) as error:
            is_decided = bool(decisions) and all(decision.is_made for decision in decisions)
            is_shown = is_decided or isinstance(error, TooComplexError)
            merge.error = error if is_shown else None
        return merge

    @property
    def left(self) -> int:
        return sum(not decision.is_made for decision in self.decisions)

    @property
    def is_too_much(self) -> bool:
        return len(self.preview.merge.conflicts) > len(self.decisions)

    @property
    def parts(self) -> int:
        return max(1, -(-len(self.decisions) // CONFLICTS_SHOWN))

    @property
    def part(self) -> int:
        return min(max(1, self.conflicts_part), self.parts)

    @property
    def shown(self) -> tuple[Decision, ...]:
        """Return the decisions that the page shows."""
        start = (self.part - 1) * CONFLICTS_SHOWN
        return self.decisions[start : start + CONFLICTS_SHOWN]

    def forget_unseen(self) -> None:
        """Drop decisions about conflicts that changed since and are not shown on the page."""
        shown = {decision.key for decision in self.shown}
        self.decisions = tuple(
            replace(decision, take=None)
            if decision.is_changed and decision.key not in shown
            else decision
            for decision in self.decisions
        )

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return hidden fields for the decisions of the other parts."""
        shown = {decision.key for decision in self.shown}
        return [
            (f"{name}-{decision.key}", value)
            for decision in self.decisions
            if decision.key not in shown
            for name, value in (
                ("take", decision.take or ""),
                ("value", decision.typed),
                ("seen", decision.seen if decision.take else ""),
            )
            if value
        ]

    @property
    def side_characters(self) -> int:
        """Return how many characters of a side of a conflict are shown."""
        return min(_LONGEST_SIDE, CONFLICT_CHARACTERS // max(1, 3 * len(self.shown)))


@router.get("/modified-files/{variant_id}/merge")
async def show_merge(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    variant_id: str,
    form: FormDependency,
) -> Response:
    try:
        preview = await services.merging.preview(principal, variant_id)
    except (ConflictError, TooComplexError) as error:
        return await _impossible_page(request, services, principal, variant_id, error)
    return await _merge_page(request, services, await _Merge.of(services, preview, form))


@router.get("/modified-files/{variant_id}/merge/upstream")
async def show_upstream(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    variant_id: str,
    part: PartParameter = 1,
) -> Response:
    """Show what upstream changed since the base, in parts."""
    try:
        texts = await services.merging.texts(principal, variant_id)
    except ConflictError as error:
        return await _impossible_page(request, services, principal, variant_id, error)
    return render(
        request,
        "variants/merge_upstream.html",
        view=await project_view(services, texts.file.project_id),
        file=texts.file,
        diff=await _upstream(services, texts, part=part, extent=COMPARED),
    )


@router.post("/modified-files/{variant_id}/merge/preview")
async def preview_decisions(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    variant_id: str,
    form: FormDependency,
) -> Response:
    """Show the merge with the result of these decisions; nothing is saved."""
    preview = await services.merging.preview(principal, variant_id)
    return await _merge_page(request, services, await _Merge.of(services, preview, form))


@router.post("/modified-files/{variant_id}/merge")
async def rebase(
    request: Request,
    services: ServicesDependency,
    variant_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.rebase", "editor", "object")],
) -> Response:
    """Rebase with these decisions, if the texts have not changed; else show them again."""
    merge = await _Merge.of(
        services, await services.merging.preview(principal, variant_id, "editor"), form
    )
    try:
        _expect_unchanged(merge.preview.original.sha, form)
        if merge.left or merge.is_too_much:
            raise MergeUnresolvedError(
                [decision.conflict.path for decision in merge.decisions if not decision.is_made]
            )
        await services.merging.rebase(
            principal,
            variant_id,
            resolutions=[decision.resolution for decision in merge.decisions],
            content=None,
            expected_original=merge.preview.original.sha,
            allow_invalid=merge.allow_invalid,
            expected_revisions=frozenset({form.number("revision") or 0}),
        )
    except (StaleError, _OriginalChangedError):
        merge = await _Merge.of(
            services, await services.merging.preview(principal, variant_id, "editor"), form
        )
        merge.outdated = True
        return await _merge_page(request, services, merge, status_code=_STALE)
    except (InvalidInputError, ConflictError, WorkersBusyError) as error:
        merge.error = error
        return await _merge_page(request, services, merge, status_code=refusal_status(error))
    return see_other(f"{PREFIX}/modified-files/{variant_id}", "rebased")


def _expect_unchanged(original_sha: str, form: Form) -> None:
    if form.line("theirs_sha") != original_sha:
        raise _OriginalChangedError


@router.get("/modified-files/{variant_id}/merge/edit")
async def start_by_hand(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    variant_id: str,
    form: FormDependency,
) -> Response:
    return await _start_by_hand(request, services, principal, variant_id, form)


@router.post("/modified-files/{variant_id}/merge/edit")
async def continue_by_hand(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    variant_id: str,
    form: FormDependency,
) -> Response:
    """Show the result of the decisions so far in an editor; nothing is saved."""
    return await _start_by_hand(request, services, principal, variant_id, form)


async def _start_by_hand(
    request: Request, services: Services, principal: Principal, variant_id: str, form: Form
) -> Response:
    texts: MergeTexts = await services.merging.texts(principal, variant_id, "editor")
    text = texts.mine
    with contextlib.suppress(TooComplexError):
        merge = await _Merge.of(
            services, await services.merging.preview(principal, variant_id), form
        )
        # The original may have changed between the two reads; its text and id must match.
        texts = merge.preview
        text = texts.mine if merge.result is None else merge.result
    draft = Draft.stored(
        texts.file.modified_name, texts.file.description, text, texts.file.revision, ()
    )
    return await _editor_page(request, services, texts, draft)


@router.post("/modified-files/{variant_id}/merge/text")
async def rebase_on_text(
    request: Request,
    services: ServicesDependency,
    variant_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.rebase", "editor", "object")],
) -> Response:
    """Rebase with a text that was merged by hand, or show it again with the error."""
    texts = await services.merging.texts(principal, variant_id, "editor")
    shown = await _shown(services, principal, texts, form)
    draft = Draft.typed(form, shown)
    draft.modified_name = texts.file.modified_name
    try:
        _expect_unchanged(texts.original.sha, form)
        await services.merging.rebase(
            principal,
            variant_id,
            resolutions=(),
            content=draft.sent,
            expected_original=texts.original.sha,
            allow_invalid=draft.allow_invalid,
            expected_revisions=frozenset({draft.revision}),
        )
    except (StaleError, _OriginalChangedError):
        texts = await services.merging.texts(principal, variant_id)
        draft.revision = texts.file.revision
        return await _editor_page(
            request, services, texts, draft, status_code=_STALE, outdated=True
        )
    except (InvalidInputError, ConflictError, WorkersBusyError) as error:
        draft.refuse(error, reader_of(request), ("content",))
        return await _editor_page(
            request, services, texts, draft, status_code=refusal_status(error)
        )
    return see_other(f"{PREFIX}/modified-files/{variant_id}", "rebased")


async def _shown(services: Services, principal: Principal, texts: MergeTexts, form: Form) -> str:
    """Return the text that the editor began with, to restore the bytes of unchanged lines.

    Return mine if that text is not known any more.
    """
    sha256 = form.text("original_sha256")
    for text in (texts.mine, texts.theirs):
        if sha256_of(text) == sha256:
            return text
    with contextlib.suppress(TooComplexError, ConflictError):
        content = (await services.merging.preview(principal, texts.file.id)).merge.content
        if content is not None and sha256_of(content) == sha256:
            return content
    return texts.mine


async def _merge_page(
    request: Request,
    services: Services,
    merge: _Merge,
    *,
    status_code: int = 200,
) -> Response:
    preview, file = merge.preview, merge.preview.file
    # Concurrently, because one after the other may take too long.
    diff, upstream = await asyncio.gather(
        _changes_of_result(services, merge), _upstream(services, preview)
    )
    return render(
        request,
        "variants/merge.html",
        status_code=status_code,
        view=await project_view(services, file.project_id),
        file=file,
        merge=merge,
        diff=diff,
        upstream=upstream,
    )


async def _changes_of_result(services: Services, merge: _Merge) -> DrawnDifferences | None:
    """Return what the merge changes in mine, or None without a result."""
    if merge.result is None:
        return None
    path = merge.preview.file.path
    return await differences(
        services, merge.preview.mine, merge.result, (path, path), part=merge.result_part
    )


async def _upstream(
    services: Services, texts: MergeTexts, *, part: int = 1, extent: Extent = COMPARED_BESIDE
) -> DrawnDifferences:
    names = (texts.file.original_path, texts.original.path)
    return await differences(services, texts.base, texts.theirs, names, part=part, extent=extent)


async def _editor_page(
    request: Request,
    services: Services,
    texts: MergeTexts,
    draft: Draft,
    *,
    status_code: int = 200,
    outdated: bool = False,
) -> Response:
    file = texts.file
    return render(
        request,
        "variants/merge_edit.html",
        status_code=status_code,
        view=await project_view(services, file.project_id),
        file=file,
        texts=texts,
        draft=draft,
        outdated=outdated,
        mine=await differences(services, texts.base, texts.mine, (file.original_path, file.path)),
        upstream=await _upstream(services, texts),
    )


async def _impossible_page(
    request: Request,
    services: Services,
    principal: Principal,
    variant_id: str,
    error: BenchmarkManagerError,
) -> Response:
    """Show why the service cannot merge: the original was removed, or a text is too complex."""
    file = await services.variants.get(principal, variant_id)
    if error.code == "upstream_removed" and principal.may("editor", file.project_id):
        return await reattach_page(request, services, principal, variant_id)
    view = await project_view(services, file.project_id)
    return render(request, "variants/merge_impossible.html", view=view, file=file, error=error)
