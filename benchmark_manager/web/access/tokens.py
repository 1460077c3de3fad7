"""Pages of tokens: one's own, and for administrators everybody's."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.factory import Services
from benchmark_manager.incoming import AnyPrincipal, ServicesDependency, requires
from benchmark_manager.models.access.credentials import ApiToken
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.page import Page
from benchmark_manager.services.access.tokens import TokenDraft
from benchmark_manager.web import PREFIX
from benchmark_manager.web.access.scopes import (
    ProjectScope,
    ids_of,
    project_names,
    typed_role,
)
from benchmark_manager.web.site.field_rules import refused_field
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.pages import CursorParameter, next_url, rows_from
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import Reader, reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.site.words import error_words

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

_UNPROCESSABLE: Final = 422
#: Days after which a token may expire; the API takes any moment.
_LIFETIMES: Final = (7, 30, 90, 180, 365)
_USUAL_LIFETIME: Final = 90
_YOURS: Final = f"{PREFIX}/you/tokens"
_EVERYBODYS: Final = f"{PREFIX}/people/tokens"


@dataclass(slots=True)
class TokenForm:
    """What was typed, and the errors by field; "" is the form as a whole."""

    name: str = ""
    role: Role = "reader"
    days: int = _USUAL_LIFETIME
    act_for_others: bool = False
    chosen: ProjectScope = field(default_factory=ProjectScope)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def typed(cls, form: Form, reader: Reader) -> "TokenForm":
        days = form.number("days")
        made = cls(
            name=form.line("name"),
            role=typed_role(form),
            days=days if days in _LIFETIMES else _USUAL_LIFETIME,
            act_for_others=form.ticked("act_for_others"),
            chosen=ProjectScope.typed(form),
        )
        made.errors = made.chosen.errors(reader)
        return made

    def draft(self, now: datetime) -> TokenDraft:
        return TokenDraft(
            name=self.name,
            role=self.role,
            project_ids=self.chosen.project_ids,
            expires_at=now + timedelta(days=self.days),
            act_for_others=self.act_for_others,
        )


@router.get("/you/tokens")
async def list_tokens(
    request: Request,
    services: ServicesDependency,
    principal: AnyPrincipal,
    cursor: CursorParameter = None,
) -> Response:
    page = await _own_tokens(services, principal, cursor)
    chosen = ids_of(token.project_ids for token in page.rows)
    return render(
        request,
        "access/tokens.html",
        tokens=page.rows,
        names=await project_names(services, principal) if chosen else {},
        may_make=principal.kind == "person",
        now=services.status.now(),
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


async def _own_tokens(
    services: Services, principal: Principal, cursor: str | None
) -> Page[ApiToken]:
    """Return a page of the tokens; with AUTH=open there is no account that could have any."""
    if principal.via == "open":
        return Page((), 0, None)
    return await services.access.tokens.page(principal, rows_from(cursor), everybody=False)


@router.get("/you/tokens/new")
async def new_token(
    request: Request, services: ServicesDependency, principal: AnyPrincipal
) -> Response:
    return await _new_page(request, services, principal, TokenForm())


@router.post("/you/tokens/new")
async def make_token(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("token.create", None, "anywhere")],
    form: FormDependency,
) -> Response:
    """Make a token and show its text, this once: no other address shows it."""
    reader = reader_of(request)
    typed = TokenForm.typed(form, reader)
    if typed.errors:
        return await _new_page(request, services, principal, typed)
    try:
        made = await services.access.tokens.create(principal, typed.draft(services.status.now()))
    except InvalidInputError as error:
        typed.errors[refused_field(error, ("name",), "name")] = error_words(reader, error)
        return await _new_page(request, services, principal, typed)
    chosen = made.token.project_ids
    return render(
        request,
        "access/token_made.html",
        headers={"Cache-Control": "no-store"},
        token=made.token,
        text=made.text,
        names=await project_names(services, principal) if chosen else {},
    )


async def _new_page(
    request: Request, services: Services, principal: Principal, form: TokenForm
) -> Response:
    return render(
        request,
        "access/token_new.html",
        status_code=_UNPROCESSABLE if form.errors else 200,
        form=form,
        choices=await project_names(services, principal),
        lifetimes=_LIFETIMES,
    )


@router.post("/you/tokens/{token_id}/revoke")
async def revoke_token(
    services: ServicesDependency, principal: AnyPrincipal, token_id: str
) -> Response:
    await services.access.tokens.revoke(principal, token_id)
    return see_other(_YOURS, "token_revoked")


@router.get("/people/tokens")
async def list_all_tokens(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("admin", "site")],
    cursor: CursorParameter = None,
) -> Response:
    page = await services.access.tokens.page(principal, rows_from(cursor), everybody=True)
    chosen = ids_of(token.project_ids for token in page.rows)
    owners = {token.account_id for token in page.rows}
    return render(
        request,
        "access/all_tokens.html",
        tokens=page.rows,
        owners=await services.access.accounts.names(owners),
        names=await project_names(services, principal) if chosen else {},
        now=services.status.now(),
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@router.post("/people/tokens/{token_id}/revoke")
async def revoke_any_token(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("token.delete", "admin", "site")],
    token_id: str,
) -> Response:
    await services.access.tokens.revoke(principal, token_id)
    return see_other(_EVERYBODYS, "token_revoked")
