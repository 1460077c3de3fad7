"""Where a browser begins, the help, and how the reader wants pages to look."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from benchmark_manager.web import PREFIX
from benchmark_manager.web.forms import FormDependency
from benchmark_manager.web.headers import is_page
from benchmark_manager.web.languages import LANGUAGES
from benchmark_manager.web.reader import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from benchmark_manager.web.rendering import render, see_other

router = APIRouter()

#: Seconds that a choice of language or theme is remembered: a year.
_REMEMBERED: Final = 365 * 24 * 3600


@router.get("/")
async def start(request: Request) -> Response:
    """Browsers see the pages, programs the description of the API."""
    reads_html = "text/html" in request.headers.get("accept", "")
    return RedirectResponse(PREFIX if reads_html else "/docs", headers={"Vary": "Accept"})


@router.get(f"{PREFIX}/help")
async def show_help(request: Request) -> Response:
    return render(request, "help.html")


@router.post(f"{PREFIX}/preferences")
async def prefer(form: FormDependency) -> Response:
    """Remember the language or theme, and go back to where the reader was."""
    response = see_other(_own(form.text("next")))
    for cookie, field, known in ((LANGUAGE_COOKIE, "language", LANGUAGES), (THEME_COOKIE, "theme", THEMES)):
        value = form.text(field)
        if value in known:
            response.set_cookie(cookie, value, max_age=_REMEMBERED, httponly=True, samesite="lax")
    return response


def _own(url: str) -> str:
    """The address, if it is a page's of ours: a form must not send its reader elsewhere."""
    plain = url.isascii() and url.isprintable() and "\\" not in url
    return url if plain and is_page(url.partition("?")[0]) else PREFIX
