"""Pages of variants: the list, making one, and the editor."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidContentError,
    InvalidInputError,
    StaleError,
    WorkersBusyError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, ServicesDependency, requires
from benchmark_manager.incoming import Reader as ProjectReader
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.variant import Drift, Variant
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.editing import Editable, edited_text, sha256_of
from benchmark_manager.web.site.field_rules import DESCRIPTION, broken_rules, refused_field
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.pages import (
    CursorParameter,
    SearchParameter,
    next_url,
    project_view,
    refusal_status,
    rows_from,
    searched,
)
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import Reader, reader_of
from benchmark_manager.web.site.rendering import editor_size, render, see_other
from benchmark_manager.web.site.words import error_words
from benchmark_manager.web.texts.limits import EDITOR
from benchmark_manager.web.texts.text_diff import differences
from benchmark_manager.web.texts.values import varied_lines

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_STALE: Final = 412
_UNPROCESSABLE: Final = 422
#: The fields beside which an error can be shown.
_FIELDS: Final = ("modified_name", "description", "content")


@dataclass(slots=True)
class Draft:
    """The fields of an editor's form: stored, or typed and not saved yet."""

    modified_name: str
    description: str
    content: Editable
    original_sha256: str
    revision: int = 0
    problems: tuple[Problem, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    allow_invalid: bool = False
    unsaved: bool = False
    unreadable: InvalidInputError | None = None

    @classmethod
    def stored(
        cls, name: str, description: str, text: str, revision: int, problems: tuple[Problem, ...]
    ) -> "Draft":
        content = Editable.of(text)
        return cls(name, description, content, content.sha256, revision, problems)

    @classmethod
    def typed(cls, form: Form, stored: str) -> "Draft":
        """Read a form, and keep what was typed even if it is not valid."""
        unreadable: InvalidInputError | None = None
        try:
            text = edited_text(form, stored)
        except InvalidInputError as error:
            unreadable = error
            text = form.text("content") if form.ticked("content") else stored
        return cls(
            modified_name=form.line("modified_name"),
            description=_with_line_feeds(form.text("description")),
            content=Editable.of(text, form.text("line_end")),
            original_sha256=sha256_of(stored),
            revision=form.number("revision") or 0,
            allow_invalid=form.ticked("allow_invalid"),
            unsaved=form.ticked("content"),
            unreadable=unreadable,
        )

    @property
    def sent(self) -> str:
        """Return the content that was sent.

        Raises:
            InvalidInputError: as `edited_text`.
        """
        if self.unreadable is not None:
            raise self.unreadable
        return self.content.text

    def check(self, reader: Reader) -> bool:
        """Return whether the fields keep their rules, with an error beside each that does not."""
        self.errors = broken_rules(reader, {"description": (DESCRIPTION, self.description)})
        return not self.errors

    def refuse(
        self, error: BenchmarkManagerError, reader: Reader, fields: Collection[str] = _FIELDS
    ) -> None:
        """Put a refusal beside the one of the form's fields that it is about."""
        name = refused_field(error, fields, "modified_name")
        if isinstance(error, InvalidContentError):
            self.problems = tuple(
                problem for problem in error.problems if isinstance(problem, Problem)
            )
        self.errors[name] = error_words(reader, error)


def _with_line_feeds(text: str) -> str:
    """Turn the CRLF that browsers send back into LF."""
    return text.replace("\r\n", "\n")


@router.get("/projects/{project_id}/modified-files")
async def list_variants(
    request: Request,
    services: ServicesDependency,
    _: ProjectReader,
    project_id: str,
    q: SearchParameter = "",
    drift: Drift | Literal["all"] = "all",
    original: Annotated[str, Query(max_length=LONGEST_ID)] = "",
    cursor: CursorParameter = None,
) -> Response:
    view = await project_view(services, project_id)
    query = searched(q)
    page = await services.variants.page(
        project_id,
        rows_from(cursor),
        original_file_id=original or None,
        drift=None if drift == "all" else drift,
        query=query or None,
    )
    return render(
        request,
        "variants/variants.html",
        view=view,
        files=page.rows,
        varied=await varied_lines(services, page.rows),
        q=query,
        drift=drift,
        original=await services.originals.get(project_id, original) if original else None,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@router.get("/projects/{project_id}/files/{file_id}/new-variant")
async def new_variant(
    request: Request,
    services: ServicesDependency,
    _: Annotated[Principal, requires("editor")],
    project_id: str,
    file_id: str,
) -> Response:
    original = await services.originals.get(project_id, file_id)
    text = (await services.originals.content(original)).decode()
    name = await services.variants.free_name(original)
    draft = Draft.stored(name, "", text, 0, original.problems)
    return await _new_page(request, services, original, draft)


@router.post("/projects/{project_id}/files/{file_id}/new-variant")
async def make_variant(
    request: Request,
    services: ServicesDependency,
    project_id: str,
    file_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.create", "editor")],
) -> Response:
    original = await services.originals.get(project_id, file_id)
    stored = (await services.originals.content(original)).decode()
    draft = Draft.typed(form, stored)
    if not draft.check(reader_of(request)):
        return await _new_page(request, services, original, draft, status_code=_UNPROCESSABLE)
    try:
        made = await services.variants.create(
            principal,
            project_id,
            file_id,
            modified_name=draft.modified_name,
            content=draft.sent,
            description=draft.description,
            allow_invalid=draft.allow_invalid,
        )
    except (InvalidInputError, ConflictError, WorkersBusyError) as error:
        draft.refuse(error, reader_of(request))
        return await _new_page(
            request, services, original, draft, status_code=refusal_status(error)
        )
    return see_other(f"{PREFIX}/modified-files/{made.id}", "created")


async def _new_page(
    request: Request,
    services: Services,
    original: OriginalFile,
    draft: Draft,
    *,
    status_code: int = 200,
) -> Response:
    view = await project_view(services, original.project_id)
    return render(
        request,
        "variants/variant_new.html",
        status_code=status_code,
        view=view,
        original=original,
        draft=draft,
    )


@router.get("/modified-files/{variant_id}")
async def show_variant(
    request: Request, services: ServicesDependency, principal: ObjectReader, variant_id: str
) -> Response:
    file = await services.variants.get(principal, variant_id)
    text = (await services.variants.content(file)).decode()
    draft = Draft.stored(file.modified_name, file.description, text, file.revision, file.problems)
    return await _edit_page(request, services, file, draft)


@router.post("/modified-files/{variant_id}")
async def save_variant(
    request: Request,
    services: ServicesDependency,
    variant_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("variant.edit", "editor", "object")],
) -> Response:
    """Save the variant, or show what was typed again with the error or the newer revision."""
    file = await services.variants.get(principal, variant_id, "editor")
    stored = (await services.variants.content(file)).decode()
    draft = Draft.typed(form, stored)
    if not draft.check(reader_of(request)):
        return await _edit_page(request, services, file, draft, status_code=_UNPROCESSABLE)
    try:
        saved = await services.variants.update(
            principal,
            variant_id,
            modified_name=draft.modified_name,
            content=draft.sent,
            description=draft.description,
            allow_invalid=draft.allow_invalid,
            expected_revisions=frozenset({draft.revision}),
        )
    except StaleError:
        return await _stale_page(request, services, principal, variant_id, draft)
    except (InvalidInputError, ConflictError, WorkersBusyError) as error:
        draft.refuse(error, reader_of(request))
        return await _edit_page(request, services, file, draft, status_code=refusal_status(error))
    note = "unchanged" if saved.revision == draft.revision else "saved"
    return see_other(f"{PREFIX}/modified-files/{variant_id}", note)


async def _edit_page(
    request: Request,
    services: Services,
    file: Variant,
    draft: Draft,
    *,
    status_code: int = 200,
) -> Response:
    view = await project_view(services, file.project_id)
    return render(
        request, "variants/variant.html", status_code=status_code, view=view, file=file, draft=draft
    )


async def _stale_page(
    request: Request, services: Services, principal: Principal, variant_id: str, draft: Draft
) -> Response:
    """Show the stored text and the typed one, which can be saved over it."""
    current = await services.variants.get(principal, variant_id)
    theirs = (await services.variants.content(current)).decode()
    draft.revision, draft.original_sha256 = current.revision, sha256_of(theirs)
    names = (current.path, current.path)
    return render(
        request,
        "variants/variant_stale.html",
        status_code=_STALE,
        view=await project_view(services, current.project_id),
        file=current,
        draft=draft,
        theirs=theirs,
        beside=editor_size(theirs) + editor_size(draft.content.text) <= EDITOR,
        diff=await differences(services, theirs, draft.content.text, names),
    )
