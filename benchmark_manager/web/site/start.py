"""The start page, the help, and the choice of language and theme."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from benchmark_manager.incoming import OPEN, AnyPrincipal, root_path
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.cookies import remember
from benchmark_manager.web.site.forms import FormDependency
from benchmark_manager.web.site.headers import is_page
from benchmark_manager.web.site.languages import LANGUAGES
from benchmark_manager.web.site.reader import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from benchmark_manager.web.site.rendering import render, see_other

router = APIRouter(include_in_schema=False)


@router.get("/", dependencies=[OPEN])
async def start(request: Request) -> Response:
    """Redirect browsers to the pages, and programs to the description of the API."""
    reads_html = "text/html" in request.headers.get("accept", "")
    return RedirectResponse(PREFIX if reads_html else "/docs", headers={"Vary": "Accept"})


@router.get(f"{PREFIX}/help")
async def show_help(request: Request, _: AnyPrincipal) -> Response:
    return render(request, "site/help.html")


@router.post(f"{PREFIX}/preferences", dependencies=[OPEN])
async def prefer(request: Request, form: FormDependency) -> Response:
    """Store the language or theme in a cookie, and return to the page that the reader was on."""
    response = see_other(_own(form.text("next").removeprefix(root_path(request.scope))))
    for cookie, field, known in (
        (LANGUAGE_COOKIE, "language", LANGUAGES),
        (THEME_COOKIE, "theme", THEMES),
    ):
        value = form.text(field)
        if value in known:
            remember(response, cookie, value)
    return response


def _own(url: str) -> str:
    """Return the address if it is one of our pages: a form must not redirect to other sites."""
    plain = url.isascii() and url.isprintable() and "\\" not in url
    path = url.partition("?")[0]
    return url if plain and is_page(path) and ".." not in path and "//" not in path else PREFIX
