"""Signing in at an identity provider: browsers leave for it here, and come back."""

from typing import Annotated, Final
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query, Request, Response

from benchmark_manager.api.http.problems import problem
from benchmark_manager.api.http.requests import ServicesDependency
from benchmark_manager.domain.access.return_paths import return_path
from benchmark_manager.errors import (
    BenchmarkManagerError,
    IssuerError,
    SignedTokenError,
    SignInError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import OPEN, request_id_of, root_path
from benchmark_manager.services.access.provider_sign_in import ATTEMPT_SECONDS, ProviderKind
from benchmark_manager.session_cookie import (
    cookie_name,
    cookie_value,
    session_secret,
    set_session_cookie,
)

#: For browsers, so that it is no part of the API's description.
router = APIRouter(include_in_schema=False)

_ATTEMPT: Final = "bm_sign_in"
_SIGN_IN_PAGE: Final = "/ui/sign-in"
#: An answer with a secret in its cookie, or an address that is good once, is for one browser.
_UNKEPT: Final = {"Cache-Control": "no-store"}

_log = structlog.get_logger(__name__)

Next = Annotated[str | None, Query(alias="next")]


@router.get("/auth/oidc", dependencies=[OPEN])
async def begin_oidc(
    request: Request, services: ServicesDependency, next_path: Next = None
) -> Response:
    """Send the browser to the OpenID Connect provider; it comes back to the path `next`."""
    return await _begin("oidc", request, services, next_path)


@router.get("/auth/oidc/callback", dependencies=[OPEN])
async def finish_oidc(request: Request, services: ServicesDependency) -> Response:
    """Begin the session of who comes back from the OpenID Connect provider."""
    return await _finish("oidc", request, services)


@router.get("/auth/github", dependencies=[OPEN])
async def begin_github(
    request: Request, services: ServicesDependency, next_path: Next = None
) -> Response:
    """Send the browser to GitHub; it comes back to the path `next`."""
    return await _begin("github", request, services, next_path)


@router.get("/auth/github/callback", dependencies=[OPEN])
async def finish_github(request: Request, services: ServicesDependency) -> Response:
    """Begin the session of who comes back from GitHub."""
    return await _finish("github", request, services)


async def _begin(
    kind: ProviderKind, request: Request, services: Services, next_path: str | None
) -> Response:
    services.access.sign_ins.take(_address(request))
    wanted = return_path(next_path, root_path(request.scope))
    try:
        url, cookie = await services.access.provider_sign_in.begin(
            kind, wanted, _redirect_uri(kind, request)
        )
    except IssuerError as error:
        return _refusal(kind, request, error, wanted)
    answer = Response(status_code=303, headers={"Location": url, **_UNKEPT})
    answer.set_cookie(
        cookie_name(request.scope, _ATTEMPT),
        cookie,
        max_age=ATTEMPT_SECONDS,
        secure=request.scope.get("scheme") == "https",
        httponly=True,
        # The way back from the provider is a link on another site.
        samesite="lax",
    )
    return answer


async def _finish(kind: ProviderKind, request: Request, services: Services) -> Response:
    services.access.sign_ins.take(_address(request))
    try:
        answer = await _signed_in(kind, request, services)
    except (SignedTokenError, SignInError, IssuerError) as error:
        wanted = services.access.provider_sign_in.next_path(_attempt(request))
        answer = _refusal(kind, request, error, wanted)
    # What one attempt returned is valid for none that follows.
    answer.delete_cookie(
        cookie_name(request.scope, _ATTEMPT),
        secure=request.scope.get("scheme") == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


async def _signed_in(kind: ProviderKind, request: Request, services: Services) -> Response:
    begun, path = await services.access.provider_sign_in.finish(
        kind,
        _attempt(request),
        request.query_params,
        _redirect_uri(kind, request),
        address=_address(request),
        request_id=request_id_of(request.scope),
        earlier=session_secret(request.scope),
    )
    # `Edge` puts the prefix of a proxy before it again.
    location = path.removeprefix(root_path(request.scope))
    answer = Response(status_code=303, headers={"Location": location, **_UNKEPT})
    longest = services.access.sign_in.limits.longest
    set_session_cookie(request, answer, begun.secret, int(longest.total_seconds()))
    return answer


def _refusal(
    kind: ProviderKind, request: Request, error: BenchmarkManagerError, wanted: str | None
) -> Response:
    """Return the answer to a sign-in that failed: for browsers, the way to the page of sign-in.

    That page says in general what failed; the log says it exactly, for who sets a provider up.
    """
    _log.warning("a sign-in at a provider failed", provider=kind, error=str(error))
    if "text/html" not in request.headers.get("accept", ""):
        return problem(error, headers=_UNKEPT)
    query = (
        {"refused": _reason(error)}
        if wanted is None
        else {"refused": _reason(error), "next": wanted}
    )
    location = f"{_SIGN_IN_PAGE}?{urlencode(query)}"
    return Response(status_code=303, headers={"Location": location, **_UNKEPT})


def _reason(error: BenchmarkManagerError) -> str:
    """Return the reason of `sign_in_failed` that the page shows."""
    if isinstance(error, SignedTokenError):
        return {"state": "expired", "refused": "denied"}.get(error.reason, "provider")
    return "unavailable" if isinstance(error, IssuerError) else "disabled"


def _attempt(request: Request) -> str:
    return cookie_value(request.scope, _ATTEMPT) or ""


def _redirect_uri(kind: ProviderKind, request: Request) -> str:
    """Return where the provider sends the browser back, which it knows from its settings."""
    url = request.url
    return f"{url.scheme}://{url.netloc}{root_path(request.scope)}/auth/{kind}/callback"


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host
