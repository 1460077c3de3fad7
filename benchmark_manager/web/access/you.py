"""Pages of one's own account: who one is, the password, and the sessions.

With AUTH=open there are no accounts, and the page is about the name beside changes.
"""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    SignInError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import AnyPrincipal, ChangeNeed, ServicesDependency
from benchmark_manager.messages import CATALOGUE
from benchmark_manager.models.access.account import Account
from benchmark_manager.models.access.credentials import Session
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import Page
from benchmark_manager.services.access.identities import ANONYMOUS
from benchmark_manager.session_cookie import delete_session_cookie
from benchmark_manager.web import PREFIX
from benchmark_manager.web.access.passwords import new_password
from benchmark_manager.web.access.scopes import project_names
from benchmark_manager.web.site.cookies import forget, remember
from benchmark_manager.web.site.field_rules import PERSON_NAME, broken_rules, refused_field
from benchmark_manager.web.site.forms import FormDependency, protected_form
from benchmark_manager.web.site.pages import CursorParameter, next_url, rows_from
from benchmark_manager.web.site.person import named
from benchmark_manager.web.site.reader import NAME_COOKIE, reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.site.sign_in_page import PATH as SIGN_IN
from benchmark_manager.web.site.sign_in_page import refusal_headers
from benchmark_manager.web.site.words import error_words

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
_PASSWORD_FIELDS: Final = ("current_password", "password", "password_again")

#: The principal as programs see it, without the name entered in the browser.
_Unnamed = Annotated[Principal, Depends(ChangeNeed(None, "anywhere"))]


@router.get("/you")
async def show_you(request: Request, services: ServicesDependency, principal: _Unnamed) -> Response:
    if principal.via == "open":
        name = named(request, principal).name
        return _name_page(request, "" if name == ANONYMOUS else name, principal)
    return await _account_page(request, services, principal)


@router.post("/you")
async def save_name(request: Request, form: FormDependency, principal: _Unnamed) -> Response:
    """Keep the name in the browser; an account's name is not changed here."""
    if principal.via != "open":
        return see_other(f"{PREFIX}/you")
    name = form.line("name")
    if errors := broken_rules(reader_of(request), {"name": (PERSON_NAME, name)}):
        return _name_page(request, name, principal, errors)
    response = see_other(f"{PREFIX}/you", "saved")
    if name:
        remember(response, NAME_COOKIE, quote(name))
    else:
        forget(response, NAME_COOKIE)
    return response


def _name_page(
    request: Request, name: str, principal: Principal, errors: dict[str, str] | None = None
) -> Response:
    return render(
        request,
        "access/your_name.html",
        status_code=_UNPROCESSABLE if errors else 200,
        name=name,
        named_by_proxy="" if principal.name == ANONYMOUS else principal.name,
        errors=errors or {},
    )


@router.post("/you/password")
async def change_password(
    request: Request, services: ServicesDependency, principal: AnyPrincipal, form: FormDependency
) -> Response:
    reader = reader_of(request)
    password, errors = new_password(form, reader)
    refusal: BenchmarkManagerError | None = None
    if not errors:
        try:
            services.access.sign_ins.take(principal.id)
            await services.access.accounts.change_password(
                principal, form.text("current_password"), password
            )
        except (SignInError, RateLimitedError, InvalidInputError, ConflictError) as error:
            refusal = error
            errors = {_password_field(error): error_words(reader, error)}
        else:
            return see_other(f"{PREFIX}/you", "password_changed")
    return await _account_page(request, services, principal, errors, refusal)


def _password_field(error: BenchmarkManagerError) -> str:
    if error.code == "sign_in_failed":
        return "current_password"
    return refused_field(error, _PASSWORD_FIELDS, "name")


async def _account_page(
    request: Request,
    services: Services,
    principal: Principal,
    errors: dict[str, str] | None = None,
    refusal: BenchmarkManagerError | None = None,
) -> Response:
    names = await project_names(services, principal) if principal.grants else {}
    status = _UNPROCESSABLE if errors else 200
    if isinstance(refusal, (SignInError, RateLimitedError)):
        status = max(status, CATALOGUE[refusal.code].status_of(refusal.reason))
    return render(
        request,
        "access/you.html",
        status_code=status,
        headers=refusal_headers(refusal),
        account=await _account(services, principal),
        granted={key: name for key, name in names.items() if key in principal.grants},
        errors=errors or {},
    )


async def _account(services: Services, principal: Principal) -> Account | None:
    """Return the principal's account; None for one that has none, such as a federated program."""
    try:
        return await services.access.accounts.get(principal, principal.id)
    except NotFoundError:
        return None


@router.get("/you/sessions")
async def list_sessions(
    request: Request,
    services: ServicesDependency,
    principal: AnyPrincipal,
    cursor: CursorParameter = None,
) -> Response:
    page = await _sessions(services, principal, cursor)
    return render(
        request,
        "access/sessions.html",
        sessions=page.rows,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


async def _sessions(services: Services, principal: Principal, cursor: str | None) -> Page[Session]:
    """Return a page of the sessions; with AUTH=open there is no account that could have any."""
    if principal.via == "open":
        return Page((), 0, None)
    return await services.access.sign_in.sessions(principal, rows_from(cursor))


@router.post("/you/sessions/end-all")
async def end_all_sessions(
    request: Request, services: ServicesDependency, principal: AnyPrincipal
) -> Response:
    await services.access.sign_in.end_all(principal)
    response = see_other(SIGN_IN, "signed_out")
    delete_session_cookie(request, response)
    return response


@router.post("/you/sessions/{session_id}/end")
async def end_session(
    services: ServicesDependency, principal: AnyPrincipal, session_id: str
) -> Response:
    await services.access.sign_in.end(principal, session_id)
    return see_other(f"{PREFIX}/you/sessions", "session_ended")
