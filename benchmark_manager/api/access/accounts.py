"""Accounts, groups and tokens."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.access.shapes import (
    AccountAnswer,
    AccountCreate,
    AccountUpdate,
    NewTokenAnswer,
    PasswordSet,
    TokenAnswer,
    TokenCreate,
    given_role,
    project_ids,
)
from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import NOT_MODIFIED, OF_BODIES, documented
from benchmark_manager.api.http.requests import (
    IfMatchDependency,
    PageDependency,
    SearchText,
    ServicesDependency,
    json_list,
    json_resource,
)
from benchmark_manager.domain.fields import LONGEST_NAME_QUERY
from benchmark_manager.incoming import AnyPrincipal, changes, requires
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.access.tokens import TokenDraft

router = APIRouter(tags=["access"], route_class=BoundedBody, strict_content_type=False)

_ACCOUNTS: Final[TypeAdapter[Any]] = TypeAdapter(list[AccountAnswer])
_TOKENS: Final[TypeAdapter[Any]] = TypeAdapter(list[TokenAnswer])

Administrator = Annotated[Principal, requires("admin", "site")]


@router.get("/groups", summary="The known groups", responses=documented())
async def list_groups(
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer", "anywhere")],
) -> list[str]:
    """List groups by name: those that accounts are in, and those with roles.

    For those who may give roles: maintainers of one project at least.
    """
    principal.require_somewhere("maintainer")
    return await services.access.accounts.groups()


@router.get(
    "/accounts",
    summary="All accounts, by name",
    response_model=list[AccountAnswer],
    responses=documented("invalid_cursor", "invalid_request"),
)
async def list_accounts(
    request: Request,
    services: ServicesDependency,
    principal: Administrator,
    page: PageDependency,
    q: Annotated[
        SearchText,
        Query(max_length=LONGEST_NAME_QUERY, description="Part of a name, regardless of case."),
    ] = None,
) -> Response:
    """List accounts; no answer has anything of a password."""
    found = await services.access.accounts.page(principal, page, q)
    return json_list(request, found, [AccountAnswer.of(row) for row in found.rows], _ACCOUNTS)


@router.post(
    "/accounts",
    status_code=201,
    summary="Make a local account",
    response_model=AccountAnswer,
    responses=documented(
        *OF_BODIES, "invalid_account_name", "account_name_taken", "password_refused"
    ),
)
async def create_account(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("account.create", "admin", "site")],
    body: AccountCreate,
) -> Response:
    """Make an account that signs in with a name and a password."""
    account = await services.access.accounts.create(
        principal, body.name, body.password.get_secret_value(), given_role(body.role)
    )
    return json_resource(
        request,
        AccountAnswer.of(account),
        revision=account.revision,
        status_code=201,
        location=f"/accounts/{account.id}",
    )


@router.get(
    "/accounts/{account_id}",
    summary="One account",
    response_model=AccountAnswer,
    responses={**NOT_MODIFIED, **documented("account_not_found")},
)
async def get_account(
    request: Request, services: ServicesDependency, principal: AnyPrincipal, account_id: str
) -> Response:
    """Return an account: one's own, or for administrators any."""
    account = await services.access.accounts.get(principal, account_id)
    return json_resource(request, AccountAnswer.of(account), revision=account.revision)


@router.put(
    "/accounts/{account_id}",
    summary="Change an account",
    response_model=AccountAnswer,
    responses=documented(
        *OF_BODIES,
        "account_not_found",
        "stale",
        "invalid_account_name",
        "account_name_taken",
        "last_administrator",
    ),
)
async def update_account(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("account.edit", "admin", "site")],
    account_id: str,
    body: AccountUpdate,
    revisions: IfMatchDependency,
) -> Response:
    """Change only the given fields; a role holds at every replica within 5 s."""
    account = await services.access.accounts.change(
        principal,
        account_id,
        name=body.name,
        role=body.role,
        disabled=body.disabled,
        expected_revisions=revisions,
    )
    return json_resource(request, AccountAnswer.of(account), revision=account.revision)


@router.put(
    "/accounts/{account_id}/password",
    status_code=204,
    summary="Give an account a new password",
    responses=documented(*OF_BODIES, "account_not_found", "account_not_local", "password_refused"),
)
async def set_password(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("account.password", "admin", "site")],
    account_id: str,
    body: PasswordSet,
) -> None:
    """Replace the password of a local account; all its sessions and tokens end."""
    await services.access.accounts.set_password(
        principal, account_id, body.new_password.get_secret_value()
    )


@router.delete(
    "/accounts/{account_id}",
    status_code=204,
    summary="Delete an account",
    responses=documented(
        "account_not_found", "stale", "last_administrator", "invalid_request", "disk_full"
    ),
)
async def delete_account(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("account.delete", "admin", "site")],
    account_id: str,
    revisions: IfMatchDependency,
) -> None:
    """Delete it with its sessions, tokens and grants; its name stays on record."""
    await services.access.accounts.delete(principal, account_id, revisions)


@router.get(
    "/tokens",
    summary="One's own tokens, newest first",
    response_model=list[TokenAnswer],
    responses=documented("invalid_cursor", "invalid_request"),
)
async def list_tokens(
    request: Request,
    services: ServicesDependency,
    principal: AnyPrincipal,
    page: PageDependency,
    everybody: Annotated[
        bool, Query(alias="all", description="Everybody's, for administrators.")
    ] = False,
) -> Response:
    """List tokens without their texts."""
    found = await services.access.tokens.page(principal, page, everybody=everybody)
    return json_list(request, found, [TokenAnswer.of(row) for row in found.rows], _TOKENS)


@router.post(
    "/tokens",
    status_code=201,
    summary="Make a token for a program",
    response_model=NewTokenAnswer,
    responses=documented(
        *OF_BODIES, "project_not_found", "invalid_label", "invalid_expiry", "too_many_tokens"
    ),
)
async def create_token(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, changes("token.create", None, "anywhere")],
    body: TokenCreate,
) -> Response:
    """Make a token that acts as one's own account; its text is shown this once."""
    made = await services.access.tokens.create(
        principal,
        TokenDraft(
            name=body.name,
            role=body.role,
            project_ids=project_ids(body.projects),
            expires_at=body.expires_at,
            act_for_others=body.act_for_others,
        ),
    )
    answer = NewTokenAnswer.with_text(made.token, made.text)
    shown = json_resource(request, answer, status_code=201, location=f"/tokens/{made.token.id}")
    shown.headers["Cache-Control"] = "no-store"
    return shown


@router.delete(
    "/tokens/{token_id}",
    status_code=204,
    summary="Revoke a token",
    responses=documented("token_not_found", "invalid_request", "disk_full"),
)
async def revoke_token(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("token.delete", None, "anywhere")],
    token_id: str,
) -> None:
    """Revoke one's own token, or as an administrator any; no replica takes it after 5 s."""
    await services.access.tokens.revoke(principal, token_id)
