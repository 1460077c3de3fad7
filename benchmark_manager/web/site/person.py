"""The name recorded with changes on pages: from a proxy, else as entered in the browser."""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.incoming import ActorDependency
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.cookies import forget, remember
from benchmark_manager.web.site.field_rules import PERSON_NAME, broken_rules
from benchmark_manager.web.site.forms import FormDependency
from benchmark_manager.web.site.reader import NAME_COOKIE, name_of, reader_of
from benchmark_manager.web.site.rendering import render, see_other

router = APIRouter(prefix=PREFIX, include_in_schema=False)

_ANONYMOUS: Final = "anonymous"
_UNPROCESSABLE: Final = 422


async def person(request: Request, actor: ActorDependency) -> str:
    """Return the name that a proxy sent, else the entered one; neither is verified here."""
    return (name_of(request) or actor) if actor == _ANONYMOUS else actor


PersonDependency = Annotated[str, Depends(person)]


@router.get("/you")
async def show_name(request: Request, person: PersonDependency, actor: ActorDependency) -> Response:
    return _name_page(request, "" if person == _ANONYMOUS else person, actor)


@router.post("/you")
async def save_name(request: Request, form: FormDependency, actor: ActorDependency) -> Response:
    name = form.line("name")
    if errors := broken_rules(reader_of(request), {"name": (PERSON_NAME, name)}):
        return _name_page(request, name, actor, errors)
    response = see_other(f"{PREFIX}/you", "saved")
    if name:
        remember(response, NAME_COOKIE, quote(name))
    else:
        forget(response, NAME_COOKIE)
    return response


def _name_page(
    request: Request, name: str, actor: str, errors: dict[str, str] | None = None
) -> Response:
    return render(
        request,
        "site/you.html",
        status_code=_UNPROCESSABLE if errors else 200,
        name=name,
        named_by_proxy="" if actor == _ANONYMOUS else actor,
        errors=errors or {},
    )
