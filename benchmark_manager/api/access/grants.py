"""Roles in projects, and rules of federation."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.access.shapes import (
    GrantAnswer,
    GrantPut,
    RuleAnswer,
    RulePut,
    project_ids,
)
from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, OF_BODIES, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    PageDependency,
    ServicesDependency,
    json_list,
    json_resource,
)
from benchmark_manager.incoming import changes, requires
from benchmark_manager.models.access.account import Grant
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.access.federation import RuleDraft

router = APIRouter(tags=["access"], route_class=BoundedBody, strict_content_type=False)

_GRANTS: Final[TypeAdapter[Any]] = TypeAdapter(list[GrantAnswer])
_RULES: Final[TypeAdapter[Any]] = TypeAdapter(list[RuleAnswer])
_RULE: Final = (
    "invalid_label",
    "invalid_issuer",
    "invalid_audience",
    "invalid_subject",
    "federation_rule_taken",
)


@router.get(
    "/projects/{project_id}/grants",
    summary="Who may what in a project",
    response_model=list[GrantAnswer],
    responses=documented("project_not_found", "invalid_cursor", "invalid_request"),
)
async def list_grants(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer")],
    project_id: str,
    page: PageDependency,
) -> Response:
    """List the roles of accounts, then those of groups; site-wide roles count besides."""
    await services.projects.get(project_id)
    found = await services.access.grants.page(principal, project_id, page)
    return json_list(request, found, [GrantAnswer.of(row) for row in found.rows], _GRANTS)


@router.put(
    "/projects/{project_id}/grants",
    summary="Give a role in a project",
    responses=documented(
        *OF_BODIES, "project_not_found", "account_not_found", "invalid_group_name"
    ),
)
async def put_grant(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("grant.put", "maintainer")],
    project_id: str,
    body: GrantPut,
) -> GrantAnswer:
    """Give a role to an account or a group, or replace the one that it has here."""
    await services.projects.get(project_id)
    grant = Grant(project_id=project_id, kind=body.kind, id=body.id, role=body.role)
    return GrantAnswer.of(await services.access.grants.put(principal, grant))


@router.delete(
    "/projects/{project_id}/grants",
    status_code=204,
    summary="Take a role away",
    responses=documented("project_not_found", "grant_not_found", "invalid_request", "disk_full"),
)
async def delete_grant(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("grant.delete", "maintainer")],
    project_id: str,
    kind: Annotated[Literal["account", "group"], Query(description="Whose role.")],
    grantee: Annotated[
        str, Query(alias="id", max_length=1000, description="Of the account; a group's name.")
    ],
) -> None:
    """Take the role away; it holds at every replica within 5 s."""
    await services.projects.get(project_id)
    await services.access.grants.delete(principal, project_id, kind, grantee)


@router.get(
    "/federation",
    summary="The rules of federation, by name",
    response_model=list[RuleAnswer],
    responses=documented("invalid_cursor", "invalid_request"),
)
async def list_rules(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("admin", "site")],
    page: PageDependency,
) -> Response:
    """List the rules by which signed tokens of other issuers are accepted."""
    found = await services.access.federation.page(principal, page)
    return json_list(request, found, [RuleAnswer.of(row) for row in found.rows], _RULES)


@router.post(
    "/federation",
    status_code=201,
    summary="Make a rule of federation",
    response_model=RuleAnswer,
    responses=documented(*OF_BODIES, *_RULE),
)
async def create_rule(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("federation.create", "admin", "site")],
    body: RulePut,
) -> Response:
    """Accept tokens that an issuer signs, such as those of a cluster or of GitHub Actions."""
    rule = await services.access.federation.create(principal, _draft(body))
    return json_resource(
        request,
        RuleAnswer.of(rule),
        revision=rule.revision,
        status_code=201,
        location=f"/federation/{rule.id}",
    )


@router.get(
    "/federation/{rule_id}",
    summary="One rule of federation",
    response_model=RuleAnswer,
    responses={**NOT_MODIFIED, **documented("federation_rule_not_found")},
)
async def get_rule(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("admin", "site")],
    rule_id: str,
) -> Response:
    """Return a rule; its ETag is for the `If-Match` of requests that change it."""
    rule = await services.access.federation.get(principal, rule_id)
    return json_resource(request, RuleAnswer.of(rule), revision=rule.revision)


@router.put(
    "/federation/{rule_id}",
    summary="Replace a rule of federation",
    response_model=RuleAnswer,
    responses=documented(*OF_BODIES, *_RULE, "federation_rule_not_found", "stale"),
)
async def replace_rule(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("federation.edit", "admin", "site")],
    rule_id: str,
    body: RulePut,
    revisions: IfMatchDependency,
) -> Response:
    """Replace all fields of the rule."""
    rule = await services.access.federation.replace(principal, rule_id, _draft(body), revisions)
    return json_resource(request, RuleAnswer.of(rule), revision=rule.revision)


@router.delete(
    "/federation/{rule_id}",
    status_code=204,
    summary="Delete a rule of federation",
    responses=documented("federation_rule_not_found", "stale", "invalid_request", "disk_full"),
)
async def delete_rule(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("federation.delete", "admin", "site")],
    rule_id: str,
    revisions: IfMatchDependency,
) -> None:
    """Delete the rule; its tokens are refused at every replica within 5 s."""
    await services.access.federation.delete(principal, rule_id, revisions)


def _draft(body: RulePut) -> RuleDraft:
    return RuleDraft(
        name=body.name,
        issuer=body.issuer,
        audience=body.audience,
        subject=body.subject,
        match=body.match,
        role=body.role,
        project_ids=project_ids(body.projects),
    )
