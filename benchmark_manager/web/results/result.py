"""Pages of one result: its metrics, its tool, labels and note, how to cite it, and its deletion."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.domain.results.edits import ResultChanges
from benchmark_manager.domain.results.parsing.collector import names_in
from benchmark_manager.domain.unset import UNSET
from benchmark_manager.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StaleError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ObjectReader, ServicesDependency, requires
from benchmark_manager.messages.result_problems import problem_words
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.release import Release
from benchmark_manager.models.result import Result
from benchmark_manager.web import PREFIX
from benchmark_manager.web.results.citation import Citation, Cited
from benchmark_manager.web.results.drafts import ResultDraft
from benchmark_manager.web.results.lists import sweep_name
from benchmark_manager.web.results.points import DrawnPoints
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import StartParameter, project_view, refusal_status
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.pull_commands import pull_command
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.texts.problems import ListedProblems, listed

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
_STALE: Final = 412


@router.get("/results/{result_id}")
async def show_result(
    request: Request,
    services: ServicesDependency,
    principal: ObjectReader,
    result_id: str,
    start: StartParameter = 0,
) -> Response:
    result = await services.results.get(principal, result_id)
    draft = ResultDraft.of(result)
    return await _result_page(request, services, principal, result, draft, start=start)


@router.post("/results/{result_id}")
async def save_result(
    request: Request,
    services: ServicesDependency,
    result_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("result.edit", "editor", "object")],
) -> Response:
    """Save what was typed, or show it again with the error or the newer result."""
    result = await services.results.get(principal, result_id, "editor")
    draft = ResultDraft.typed(form, reader_of(request))
    status = _UNPROCESSABLE
    if not draft.errors:
        try:
            saved = await services.results.edit(
                principal,
                result_id,
                ResultChanges(
                    draft.read, draft.note, draft.chosen_tool if form.ticked("tool") else UNSET
                ),
                frozenset({draft.revision}),
            )
        except StaleError:
            result = await services.results.get(principal, result_id)
            status, draft.revision = _STALE, result.revision
        except (ConflictError, InvalidInputError) as error:
            draft.refuse(error, reader_of(request))
            status = refusal_status(error)
        else:
            note = "unchanged" if saved.revision == draft.revision else "saved"
            return see_other(f"{PREFIX}/results/{result_id}", note)
    return await _result_page(request, services, principal, result, draft, status_code=status)


async def _result_page(
    request: Request,
    services: Services,
    principal: Principal,
    result: Result,
    draft: ResultDraft,
    *,
    start: int = 0,
    status_code: int = 200,
) -> Response:
    return render(
        request,
        "results/result.html",
        status_code=status_code,
        view=await project_view(services, result.project_id),
        result=result,
        release=await _release(services, principal, result),
        sweep_name=await sweep_name(services, principal, result.sweep_id),
        metrics=DrawnPoints.of(result.parsed.points, start),
        problems_of_file=_problems(result, reader_of(request).language),
        draft=draft,
        stale=status_code == _STALE,
    )


def _problems(result: Result, language: str) -> ListedProblems:
    """Return the problems of the file, in the reader's language."""
    problems = (
        problem.model_copy(
            update={
                "message": problem_words(problem.code, problem.message, names_in(problem), language)
            }
        )
        for problem in result.parsed.problems
    )
    return listed(tuple(problems))


async def _release(services: Services, principal: Principal, result: Result) -> Release | None:
    try:
        return await services.releases.get(principal, result.release)
    except NotFoundError:
        return None


@router.get("/results/{result_id}/cite")
async def cite_result(
    request: Request, services: ServicesDependency, principal: ObjectReader, result_id: str
) -> Response:
    result = await services.results.get(principal, result_id)
    view = await project_view(services, result.project_id)
    url = str(request.base_url).rstrip("/")
    release = await services.releases.get(principal, result.release)
    cited = await asyncio.to_thread(
        Cited.of,
        await services.releases.files(release),
        view.web_url,
        f"{url}{PREFIX}/results/{result.id}",
        pull_command(result.release, url),
    )
    return render(
        request,
        "results/cite.html",
        view=view,
        result=result,
        citation=Citation.of(result, cited),
    )


@router.get("/results/{result_id}/delete")
async def confirm_deletion(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("editor", "object")],
    result_id: str,
) -> Response:
    result = await services.results.get(principal, result_id, "editor")
    return await _delete_page(request, services, result)


@router.post("/results/{result_id}/delete")
async def delete_result(
    request: Request,
    services: ServicesDependency,
    result_id: str,
    form: FormDependency,
    principal: Annotated[Principal, page_changes("result.delete", "editor", "object")],
) -> Response:
    """Delete the result, if it has not changed since the person saw it."""
    result = await services.results.get(principal, result_id, "editor")
    revisions = frozenset({form.number("revision") or 0})
    try:
        await services.results.delete(principal, result_id, revisions)
    except StaleError:
        current = await services.results.get(principal, result_id, "editor")
        return await _delete_page(request, services, current, status_code=_STALE)
    home = f"{PREFIX}/projects/{result.project_id}/results/list"
    return see_other(home, "result_deleted", result.id)


@router.post("/results/{result_id}/undelete")
async def undelete_result(
    services: ServicesDependency,
    result_id: str,
    principal: Annotated[Principal, page_changes("result.undelete", "editor", "object")],
) -> Response:
    result = await services.results.undelete(principal, result_id)
    return see_other(f"{PREFIX}/results/{result.id}", "result_undeleted")


async def _delete_page(
    request: Request, services: Services, result: Result, *, status_code: int = 200
) -> Response:
    return render(
        request,
        "results/result_delete.html",
        status_code=status_code,
        view=await project_view(services, result.project_id),
        result=result,
        retention=services.trash.retention,
        stale=status_code == _STALE,
    )
