"""Where a browser begins, the help, and how the reader wants pages to look."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from benchmark_manager.incoming import root_path
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.cookies import remember
from benchmark_manager.web.site.forms import FormDependency
from benchmark_manager.web.site.headers import is_page
from benchmark_manager.web.site.languages import LANGUAGES
from benchmark_manager.web.site.reader import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from benchmark_manager.web.site.rendering import render, see_other

router = APIRouter(include_in_schema=False)


@router.get("/")
async def start(request: Request) -> Response:
    """Browsers see the pages, programs the description of the API."""
    reads_html = "text/html" in request.headers.get("accept", "")
    return RedirectResponse(PREFIX if reads_html else "/docs", headers={"Vary": "Accept"})


@router.get(f"{PREFIX}/help")
async def show_help(request: Request) -> Response:
    return render(request, "site/help.html")


@router.post(f"{PREFIX}/preferences")
async def prefer(request: Request, form: FormDependency) -> Response:
    """Remember the language or theme, and go back to where the reader was."""
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
    """The address, if it is a page's of ours: a form must not send its reader elsewhere."""
    plain = url.isascii() and url.isprintable() and "\\" not in url
    path = url.partition("?")[0]
    return url if plain and is_page(path) and ".." not in path and "//" not in path else PREFIX
