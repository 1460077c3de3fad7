"""Pages of signing in and out, and of making the first administrator."""

from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.access.return_paths import return_path
from benchmark_manager.domain.http.callers import quota_of
from benchmark_manager.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    SignInError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import (
    OPEN,
    AnyPrincipal,
    ServicesDependency,
    kept_principal,
    request_id_of,
    root_path,
)
from benchmark_manager.session_cookie import (
    delete_session_cookie,
    session_secret,
    set_session_cookie,
)
from benchmark_manager.web import PREFIX
from benchmark_manager.web.access.passwords import new_password
from benchmark_manager.web.site.field_rules import refused_field
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.reader import reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.site.sign_in_page import PATH, refusal_headers, sign_in_page
from benchmark_manager.web.site.words import error_words

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422

_Next = Annotated[str, Query(alias="next")]


@router.get("/sign-in", dependencies=[OPEN])
async def show_sign_in(request: Request, wanted: _Next = "", refused: str = "") -> Response:
    """Show the ways to sign in; `refused` says why a sign-in at a provider failed."""
    principal = kept_principal(request.scope)
    if principal is not None and principal.via != "open":
        return see_other(_following(request, wanted))
    return sign_in_page(request, wanted, refusal=_refusal(refused))


@router.post("/sign-in", dependencies=[OPEN])
async def sign_in(request: Request, services: ServicesDependency, form: FormDependency) -> Response:
    """Begin a session of a local account, and go where the person wanted to go."""
    wanted, name = form.text("next"), form.line("name")
    try:
        return await _signed_in(
            request, services, name, form.text("password"), _following(request, wanted)
        )
    except (SignInError, RateLimitedError) as error:
        return sign_in_page(request, wanted, name=name, refusal=error)


@router.post("/sign-out")
async def sign_out(
    request: Request, services: ServicesDependency, principal: AnyPrincipal
) -> Response:
    """End the session, at every replica."""
    if principal.session_id is not None:
        # Another tab or another browser may be faster.
        with suppress(NotFoundError):
            await services.access.sign_in.end(principal, principal.session_id)
    response = see_other(PATH, "signed_out")
    delete_session_cookie(request, response)
    return response


@router.get("/set-up", dependencies=[OPEN])
async def show_set_up(request: Request, token: str = "") -> Response:
    return _set_up_page(request, token)


@router.post("/set-up", dependencies=[OPEN])
async def set_up(request: Request, services: ServicesDependency, form: FormDependency) -> Response:
    """Make the first administrator, and sign them in."""
    reader = reader_of(request)
    token, name = form.line("token"), form.line("name")
    password, errors = new_password(form, reader)
    if errors:
        return _set_up_page(request, token, name, errors)
    try:
        services.access.sign_ins.take(quota_of(_address(request)))
        account = await services.access.sign_in.set_up(
            token,
            name,
            password,
            address=_address(request),
            request_id=request_id_of(request.scope),
        )
        return await _signed_in(request, services, account.name, password, PREFIX, "set_up")
    except (SignInError, RateLimitedError, InvalidInputError, ConflictError) as error:
        field = refused_field(error, ("name", "password"), "name")
        headers = refusal_headers(error)
        return _set_up_page(request, token, name, {field: error_words(reader, error)}, headers)


def _set_up_page(
    request: Request,
    token: str,
    name: str = "",
    errors: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    return render(
        request,
        "access/set_up.html",
        status_code=_UNPROCESSABLE if errors else 200,
        headers=headers,
        token=token,
        name=name,
        errors=errors or {},
    )


async def _signed_in(
    request: Request,
    services: Services,
    name: str,
    password: str,
    following: str,
    note: str | None = None,
) -> Response:
    """Begin a session and redirect.

    Raises:
        SignInError, RateLimitedError
    """
    address = _address(request)
    services.access.sign_ins.take(quota_of(address))
    begun = await services.access.sign_in.with_password(
        name,
        password,
        address=address,
        request_id=request_id_of(request.scope),
        earlier=session_secret(request.scope),
    )
    response = see_other(following, note)
    longest = services.access.sign_in.limits.longest
    set_session_cookie(request, response, begun.secret, int(longest.total_seconds()))
    return response


def _following(request: Request, wanted: str) -> str:
    """Return where to go, without the prefix of a proxy, which redirects get anyway."""
    root = root_path(request.scope)
    return return_path(wanted, root).removeprefix(root)


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _refusal(reason: str) -> SignInError | None:
    return SignInError("sign_in_failed", reason) if reason in _REASONS else None


#: Why a sign-in at an identity provider can fail, as /auth/… names it in an address.
_REASONS: Final = frozenset({"denied", "disabled", "expired", "provider", "unavailable"})
