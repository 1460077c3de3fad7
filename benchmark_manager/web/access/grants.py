"""A project's page of roles: who may what in it."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency, requires
from benchmark_manager.models.access.account import Grant
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.web import PREFIX
from benchmark_manager.web.access.scopes import typed_role
from benchmark_manager.web.site.field_rules import refused_field
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.pages import (
    CursorParameter,
    SearchParameter,
    next_url,
    project_view,
    rows_from,
    searched,
)
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.site.words import ROLE, error_words
from benchmark_manager.web.texts.limits import fitting
from benchmark_manager.web.texts.visible import html_size

router = APIRouter(
    prefix=f"{PREFIX}/projects/{{project_id}}/access",
    dependencies=[Depends(protected_form)],
    include_in_schema=False,
)

_UNPROCESSABLE: Final = 422
#: Bytes of the names of groups that the field offers.
_OFFERED: Final = 100_000


@router.get("")
async def list_grants(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer")],
    project_id: str,
    q: SearchParameter = "",
    cursor: CursorParameter = None,
) -> Response:
    """Show the roles, and with `q` the people to whom one can be given."""
    return await _grants_page(
        request, services, principal, project_id, q=searched(q), cursor=cursor
    )


@router.post("")
async def put_grant(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("grant.put", "maintainer")],
    project_id: str,
    form: FormDependency,
) -> Response:
    """Give a role to an account or a group, or replace the one that it has."""
    kind, grantee_id = _kind(form), form.line("id")
    await services.projects.get(project_id)
    grant = Grant(project_id=project_id, kind=kind, id=grantee_id, role=typed_role(form))
    try:
        await services.access.grants.put(principal, grant)
    except InvalidInputError as error:
        field = refused_field(error, ("id",), "")
        return await _grants_page(
            request,
            services,
            principal,
            project_id,
            group=grantee_id,
            errors={field: error_words(reader_of(request), error)},
        )
    return see_other(f"{PREFIX}/projects/{project_id}/access", "grant_saved")


@router.post("/remove")
async def remove_grant(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("grant.delete", "maintainer")],
    project_id: str,
    form: FormDependency,
) -> Response:
    await services.access.grants.delete(principal, project_id, _kind(form), form.text("id"))
    return see_other(f"{PREFIX}/projects/{project_id}/access", "grant_removed")


def _kind(form: Form) -> Literal["account", "group"]:
    return "group" if form.text("kind") == "group" else "account"


async def _grants_page(
    request: Request,
    services: Services,
    principal: Principal,
    project_id: str,
    *,
    q: str = "",
    cursor: str | None = None,
    group: str = "",
    errors: dict[str, str] | None = None,
) -> Response:
    view = await project_view(services, project_id)
    page = await services.access.grants.page(principal, project_id, rows_from(cursor))
    accounts = {grant.id for grant in page.rows if grant.kind == "account"}
    names = await services.access.accounts.names(accounts)
    return render(
        request,
        "access/grants.html",
        status_code=_UNPROCESSABLE if errors else 200,
        view=view,
        grants=[(grant, names.get(grant.id, grant.id)) for grant in page.rows],
        # In one project, an administrator may no more than a maintainer.
        roles=[role for role in ROLE if role != "admin"],
        q=q,
        found=await services.access.grants.candidates(principal, project_id, q) if q else (),
        groups=fitting(await services.access.accounts.groups(), html_size, _OFFERED),
        group=group,
        errors=errors or {},
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )
