"""The page that takes over the sweep of another tool."""

import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import JsonValue

from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.domain.sweeps.definition import file_json
from benchmark_manager.domain.sweeps.importing.conversion import Imported
from benchmark_manager.errors import InvalidContentError, InvalidInputError, WorkersBusyError
from benchmark_manager.incoming import ServicesDependency, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.problem import Problem
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.pages import refusal_status
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.rendering import editor_size, render
from benchmark_manager.web.site.words import error_words
from benchmark_manager.web.sweeps.actions import NO_FILE, alias_of
from benchmark_manager.web.sweeps.cells import sentences
from benchmark_manager.web.sweeps.drafts import SweepDraft, free_name
from benchmark_manager.web.sweeps.making import SweepFormContext, form_page, new_form_context
from benchmark_manager.web.texts.limits import EDITOR

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
#: The formats, and what each text is.
FORMATS: Final[Mapping[str, str]] = {
    "vllm": N_("vLLM: the JSON of --serve-params"),
    "llm-d": N_("llm-d-benchmark: factors and treatments, as YAML"),
    "hydra": N_("Hydra: overrides, such as lr=0.1,0.2"),
    "wandb": N_("Weights & Biases: a grid sweep, as YAML"),
}
#: Notes that the page shows.
_NOTES: Final = 100
_FIELDS: Final = ("format", "text", "bench_text", "link_vars", "files", "targets")
#: What the page calls them.
LABELS: Final[Mapping[str, str]] = {
    "format": N_("Tool"),
    "text": N_("Its definition"),
    "bench_text": N_("The JSON of --bench-params"),
    "link_vars": "--link-vars",
    "files": N_("Files"),
    "targets": N_("Where parameters are set"),
}

NO_TARGET_LINE: Final = N_("Line %(line)s is no pair; write PARAMETER=ALIAS:PATH.")


@dataclass(slots=True)
class ImportDraft:
    """What was typed, and the errors by field. Files and targets are pairs, one a line."""

    format: str = "vllm"
    text: str = ""
    bench_text: str = ""
    link_vars: str = ""
    files: str = ""
    targets: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @classmethod
    def typed(cls, form: Form) -> "ImportDraft":
        """Read a form."""
        typed = {name: form.text(name).replace("\r\n", "\n") for name in _FIELDS}
        return cls(**typed)  # type: ignore[arg-type]  # these fields are texts

    def refuse(self, error: InvalidInputError | WorkersBusyError, reader: Reader) -> None:
        """Put a refusal beside the field that it is about."""
        given = str(error.field or "") if isinstance(error, InvalidInputError) else ""
        head = re.split(r"[.\[]", given)[0]
        if isinstance(error, InvalidContentError):
            self.problems = tuple(each for each in error.problems if isinstance(each, Problem))
        if head not in LABELS:
            self.errors[""] = error_words(reader, error)
            return
        named = copy(error)
        named.facts = {**error.facts, "field": reader.words(LABELS[head]) + given[len(head) :]}
        self.errors[head] = error_words(reader, named)

    @property
    def size(self) -> int:
        """The bytes of HTML of what was typed."""
        return sum(editor_size(getattr(self, name)) for name in _FIELDS)


@router.get("/projects/{project_id}/sweeps/import")
async def new_import(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor")],
    project_id: str,
    file: Annotated[str, Query(max_length=LONGEST_ID)] = "",
) -> Response:
    context = await new_form_context(request, services, principal, project_id)
    draft = ImportDraft()
    if file:
        path = (await services.originals.get(project_id, file)).path
        draft.files = f"{alias_of(path)}={path}"
    return _import_page(request, context, draft)


@router.post("/projects/{project_id}/sweeps/import")
async def import_sweep(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor")],
    project_id: str,
    form: FormDependency,
) -> Response:
    """Show the form of the sweep that the other tool's is, with notes on what is missing."""
    context = await new_form_context(request, services, principal, project_id)
    draft = ImportDraft.typed(form)
    status = _UNPROCESSABLE
    try:
        value = await _value(context, draft)
        if value is not None:
            return await _imported(
                request,
                context,
                await services.sweeps.imports.imported(principal, project_id, value),
            )
    except (InvalidInputError, WorkersBusyError) as error:
        draft.refuse(error, context.reader)
        status = refusal_status(error)
    return _import_page(request, context, draft, status_code=status)


async def _imported(request: Request, context: SweepFormContext, imported: Imported) -> Response:
    paths = await context.actions.paths_of(imported.definition)
    draft = SweepDraft.of(imported.definition, paths)
    draft.shown, draft.unsaved = draft.files[0].alias, True
    notes = sentences(imported.notes[:_NOTES], context.reader)
    return await form_page(request, context, draft, notes=notes)


async def _value(context: SweepFormContext, draft: ImportDraft) -> JsonValue:
    """Return what was typed, for the service to check; None if a line is refused."""
    files: dict[str, JsonValue] = {}
    for _, alias, path in _pairs(draft.files):
        found = await context.services.sweeps.drafting.find(
            context.principal, context.view.project.id, path
        )
        if found is None:
            draft.errors["files"] = f"{context.reader.words(NO_FILE)} {path[:200]}"
            return None
        files[alias or free_name(alias_of(path), files, "file")] = file_json(found)
    targets: dict[str, JsonValue] = {}
    for number, name, target in _pairs(draft.targets):
        if not name:
            draft.errors["targets"] = context.reader.words(NO_TARGET_LINE) % {"line": number}
            return None
        targets[name] = target
    given: dict[str, JsonValue] = {
        "format": draft.format,
        "text": draft.text,
        "files": files,
        "targets": targets,
    }
    if draft.format == "vllm":
        given |= {"bench_text": draft.bench_text, "link_vars": draft.link_vars.strip()}
    return given


def _pairs(text: str) -> Iterator[tuple[int, str, str]]:
    r"""Yield the number of each line, what is before its first `=` ("" without one), the rest.

    >>> list(_pairs("engine=config/a.yaml\n\nconfig/b.yaml"))
    [(1, 'engine', 'config/a.yaml'), (3, '', 'config/b.yaml')]
    """
    for number, line in enumerate(text.split("\n"), 1):
        before, equals, after = line.partition("=")
        if line.strip():
            yield number, before.strip() if equals else "", (after if equals else before).strip()


def _import_page(
    request: Request, context: SweepFormContext, draft: ImportDraft, *, status_code: int = 200
) -> Response:
    return render(
        request,
        "sweeps/sweep_import.html",
        status_code=status_code,
        view=context.view,
        draft=draft,
        formats=FORMATS,
        is_shown=draft.size <= EDITOR,
    )
