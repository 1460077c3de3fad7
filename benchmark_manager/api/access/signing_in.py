"""Signing in and out, the first administrator, and who one is."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from benchmark_manager.api.access.shapes import (
    AccountAnswer,
    MeAnswer,
    PasswordChange,
    SessionAnswer,
    SetUp,
    SignIn,
)
from benchmark_manager.api.http.hosts import caller_of
from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import OF_BODIES, documented
from benchmark_manager.api.http.requests import (
    PageDependency,
    ServicesDependency,
    json_list,
    json_resource,
)
from benchmark_manager.incoming import OPEN, AnyPrincipal, changes, request_id_of
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.session_cookie import (
    delete_session_cookie,
    session_secret,
    set_session_cookie,
)

router = APIRouter(tags=["access"], route_class=BoundedBody, strict_content_type=False)

_SESSIONS: Final[TypeAdapter[Any]] = TypeAdapter(list[SessionAnswer])


def _address_of(request: Request) -> str:
    return "" if request.client is None else request.client.host


@router.get("/me", summary="Who makes this request", responses=documented())
async def me(principal: AnyPrincipal) -> MeAnswer:
    """Return the principal: with `AUTH=open` it is anonymous, and may do everything."""
    return MeAnswer.of(principal)


@router.put(
    "/me/password",
    status_code=204,
    summary="Change one's own password",
    responses=documented(
        *OF_BODIES, "sign_in_failed", "sign_in_paused", "password_refused", "account_not_local"
    ),
)
async def change_password(
    services: ServicesDependency,
    principal: Annotated[Principal, changes("account.password", None, "anywhere")],
    body: PasswordChange,
) -> None:
    """Change it; all other sessions of the account end."""
    services.access.sign_ins.take(principal.id)
    await services.access.accounts.change_password(
        principal, body.current_password.get_secret_value(), body.new_password.get_secret_value()
    )


@router.post(
    "/setup",
    status_code=201,
    summary="Make the first administrator",
    response_model=AccountAnswer,
    dependencies=[OPEN],
    responses=documented(
        *OF_BODIES,
        "setup_link_refused",
        "invalid_account_name",
        "account_name_taken",
        "password_refused",
    ),
)
async def set_up(request: Request, services: ServicesDependency, body: SetUp) -> Response:
    """Make an administrator with the token of the set-up link, which is good once."""
    services.access.sign_ins.take(caller_of(request.scope))
    account = await services.access.sign_in.set_up(
        body.token.get_secret_value(),
        body.name,
        body.password.get_secret_value(),
        address=_address_of(request),
        request_id=request_id_of(request.scope),
    )
    return json_resource(
        request, AccountAnswer.of(account), status_code=201, location=f"/accounts/{account.id}"
    )


@router.post(
    "/sessions",
    status_code=201,
    summary="Sign in with a password",
    response_model=SessionAnswer,
    dependencies=[OPEN],
    responses=documented(*OF_BODIES, "sign_in_failed", "sign_in_paused"),
)
async def sign_in(request: Request, services: ServicesDependency, body: SignIn) -> Response:
    """Begin a session, whose cookie the answer sets; the one that the browser had ends.

    Wrong guesses of one account from one address have to wait longer and longer.
    """
    services.access.sign_ins.take(caller_of(request.scope))
    begun = await services.access.sign_in.with_password(
        body.name,
        body.password.get_secret_value(),
        address=_address_of(request),
        request_id=request_id_of(request.scope),
        earlier=session_secret(request.scope),
    )
    answer = json_resource(
        request, SessionAnswer.of(begun.session, begun.session.id), status_code=201
    )
    longest = services.access.sign_in.limits.longest
    set_session_cookie(request, answer, begun.secret, int(longest.total_seconds()))
    return answer


@router.get(
    "/sessions",
    summary="One's own sessions, newest first",
    response_model=list[SessionAnswer],
    responses=documented("invalid_cursor", "invalid_request"),
)
async def list_sessions(
    request: Request, services: ServicesDependency, principal: AnyPrincipal, page: PageDependency
) -> Response:
    """List the browsers in which the account is signed in."""
    found = await services.access.sign_in.sessions(principal, page)
    rows = [SessionAnswer.of(row, principal.session_id) for row in found.rows]
    return json_list(request, found, rows, _SESSIONS)


@router.delete(
    "/sessions",
    status_code=204,
    summary="End all of one's own sessions",
    responses=documented("invalid_request"),
)
async def end_sessions(
    request: Request, response: Response, services: ServicesDependency, principal: AnyPrincipal
) -> None:
    """Sign out everywhere, here too."""
    await services.access.sign_in.end_all(principal)
    delete_session_cookie(request, response)


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="End a session",
    responses=documented("session_not_found", "invalid_request"),
)
async def end_session(
    request: Request,
    response: Response,
    services: ServicesDependency,
    principal: AnyPrincipal,
    session_id: str,
) -> None:
    """End one of one's own sessions; `current` names that of this request, and signs out."""
    current = session_id == "current"
    await services.access.sign_in.end(
        principal, (principal.session_id or session_id) if current else session_id
    )
    if current or session_id == principal.session_id:
        delete_session_cookie(request, response)
