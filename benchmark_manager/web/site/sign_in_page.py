"""The page on which people sign in; it also answers requests whose session has ended."""

from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response

from benchmark_manager.domain.access.return_paths import return_path
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import root_path
from benchmark_manager.messages import CATALOGUE
from benchmark_manager.services.access.provider_sign_in import Providers
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.rendering import editor_size, render, see_other
from benchmark_manager.web.texts.limits import TYPED

PATH: Final = f"{PREFIX}/sign-in"
_UNAUTHENTICATED: Final = 401


def sign_in_page(
    request: Request,
    wanted: str,
    *,
    name: str = "",
    refusal: BenchmarkManagerError | None = None,
) -> Response:
    """Render the page; `wanted` is where the person goes next, if that is one of our pages."""
    status = 200 if refusal is None else CATALOGUE[refusal.code].status
    return _page(request, wanted, status, name=name, refusal=refusal, is_ended=False, typed="")


def to_sign_in(request: Request) -> Response:
    """Redirect to the page; it leads back to this request's address."""
    query = request.url.query
    here = f"{request.url.path}?{query}" if query else request.url.path
    return see_other(f"{PATH}?{urlencode({'next': here})}")


def session_ended_page(request: Request) -> Response:
    """Render the page as the answer to a form; it shows the text that was typed there."""
    came_from = urlsplit(request.headers.get("referer", ""))
    wanted = f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path
    typed = getattr(request.state, "typed", "")
    return _page(
        request, wanted, _UNAUTHENTICATED, name="", refusal=None, is_ended=True, typed=typed
    )


def _page(
    request: Request,
    wanted: str,
    status: int,
    *,
    name: str,
    refusal: BenchmarkManagerError | None,
    is_ended: bool,
    typed: str,
) -> Response:
    providers = _providers(request.app.state.services)
    following = return_path(wanted, root_path(request.scope))
    return render(
        request,
        "site/sign_in.html",
        status_code=status,
        headers=refusal_headers(refusal),
        next=following,
        query=urlencode({"next": following}),
        oidc_name=None if providers.oidc is None else providers.oidc_name,
        github=providers.github is not None,
        name=name,
        refusal=refusal,
        is_ended=is_ended,
        typed=typed,
        is_typed_shown=editor_size(typed) <= TYPED,
    )


def _providers(services: Services) -> Providers:
    return services.access.provider_sign_in.providers


def refusal_headers(refusal: BenchmarkManagerError | None) -> dict[str, str]:
    """Return when to try again, for a refusal that says so."""
    seconds = None if refusal is None else refusal.facts.get("seconds")
    return {} if seconds is None else {"Retry-After": str(seconds)}
