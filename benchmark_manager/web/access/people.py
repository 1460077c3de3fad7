"""Pages of accounts and groups, for administrators."""

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request, Response

from benchmark_manager.errors import (
    BenchmarkManagerError,
    ConflictError,
    InvalidInputError,
    StaleError,
)
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency, requires
from benchmark_manager.models.access.account import Account
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.web import PREFIX
from benchmark_manager.web.access.passwords import new_password
from benchmark_manager.web.access.scopes import typed_role
from benchmark_manager.web.site.field_rules import refused_field
from benchmark_manager.web.site.forms import Form, FormDependency, protected_form
from benchmark_manager.web.site.pages import (
    ROWS,
    CursorParameter,
    SearchParameter,
    StartParameter,
    next_url,
    rows_from,
    searched,
)
from benchmark_manager.web.site.person import page_changes
from benchmark_manager.web.site.reader import Reader, reader_of
from benchmark_manager.web.site.rendering import render, see_other
from benchmark_manager.web.site.words import error_words
from benchmark_manager.web.texts.limits import window
from benchmark_manager.web.texts.visible import html_size

router = APIRouter(
    prefix=f"{PREFIX}/people", dependencies=[Depends(protected_form)], include_in_schema=False
)

Administrator = Annotated[Principal, requires("admin", "site")]

_UNPROCESSABLE: Final = 422
_STALE: Final = 412


@dataclass(slots=True)
class AccountForm:
    """What was typed, and the errors by field ("" is the whole form); never a password."""

    name: str = ""
    role: Role | Literal["none"] = "reader"
    disabled: bool = False
    revision: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, account: Account) -> "AccountForm":
        return cls(account.name, account.role or "none", account.disabled, account.revision)

    @classmethod
    def typed(cls, form: Form) -> "AccountForm":
        return cls(
            name=form.line("name"),
            role="none" if form.text("role") == "none" else typed_role(form),
            disabled=form.ticked("disabled"),
            revision=form.number("revision") or 0,
        )

    def refuse(self, error: BenchmarkManagerError, reader: Reader) -> None:
        name = refused_field(error, ("name", "password"), "name")
        self.errors[name] = error_words(reader, error)


@router.get("")
async def list_accounts(
    request: Request,
    services: ServicesDependency,
    principal: Administrator,
    q: SearchParameter = "",
    cursor: CursorParameter = None,
) -> Response:
    query = searched(q)
    page = await services.access.accounts.page(principal, rows_from(cursor), query or None)
    return render(
        request,
        "access/accounts.html",
        accounts=page.rows,
        q=query,
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@router.get("/groups")
async def list_groups(
    request: Request, services: ServicesDependency, _: Administrator, start: StartParameter = 0
) -> Response:
    groups = await services.access.accounts.groups()
    return render(request, "access/groups.html", window=window(groups, start, ROWS, html_size))


@router.get("/new")
async def new_account(request: Request, _: Administrator) -> Response:
    return _new_page(request, AccountForm())


@router.post("/new")
async def make_account(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("account.create", "admin", "site")],
    form: FormDependency,
) -> Response:
    reader = reader_of(request)
    typed = AccountForm.typed(form)
    password, typed.errors = new_password(form, reader)
    if not typed.errors:
        role = None if typed.role == "none" else typed.role
        try:
            await services.access.accounts.create(principal, typed.name, password, role)
        except (InvalidInputError, ConflictError) as error:
            typed.refuse(error, reader)
        else:
            return see_other(f"{PREFIX}/people", "account_created")
    return _new_page(request, typed)


def _new_page(request: Request, form: AccountForm) -> Response:
    status = _UNPROCESSABLE if form.errors else 200
    return render(request, "access/account_new.html", status_code=status, form=form)


@router.get("/{account_id}")
async def show_account(
    request: Request, services: ServicesDependency, principal: Administrator, account_id: str
) -> Response:
    account = await services.access.accounts.get(principal, account_id)
    return _account_page(request, account, AccountForm.of(account))


@router.post("/{account_id}")
async def save_account(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("account.edit", "admin", "site")],
    account_id: str,
    form: FormDependency,
) -> Response:
    """Save the account, or show what was chosen again with the error or the newer account."""
    typed = AccountForm.typed(form)
    status = _UNPROCESSABLE
    try:
        saved = await services.access.accounts.change(
            principal,
            account_id,
            name=typed.name,
            role=typed.role,
            disabled=typed.disabled,
            expected_revisions=frozenset({typed.revision}),
        )
    except (InvalidInputError, ConflictError) as error:
        typed.refuse(error, reader_of(request))
    except StaleError as error:
        status, typed.revision = _STALE, error.current_revision
    else:
        note = "unchanged" if saved.revision == typed.revision else "saved"
        return see_other(f"{PREFIX}/people/{account_id}", note)
    account = await services.access.accounts.get(principal, account_id)
    return _account_page(request, account, typed, status)


@router.post("/{account_id}/password")
async def set_password(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("account.password", "admin", "site")],
    account_id: str,
    form: FormDependency,
) -> Response:
    """Give the account a password, or show the page again with what is wrong with it."""
    reader = reader_of(request)
    password, errors = new_password(form, reader)
    if not errors:
        try:
            await services.access.accounts.set_password(principal, account_id, password)
        except (InvalidInputError, ConflictError) as error:
            errors = {refused_field(error, ("password",), "password"): error_words(reader, error)}
        else:
            return see_other(f"{PREFIX}/people/{account_id}", "password_set")
    account = await services.access.accounts.get(principal, account_id)
    shown = AccountForm.of(account)
    shown.errors = errors
    return _account_page(request, account, shown, _UNPROCESSABLE)


def _account_page(
    request: Request, account: Account, form: AccountForm, status: int = 200
) -> Response:
    return render(
        request,
        "access/account.html",
        status_code=status,
        account=account,
        form=form,
        stale=status == _STALE,
    )


@router.get("/{account_id}/delete")
async def confirm_deletion(
    request: Request, services: ServicesDependency, principal: Administrator, account_id: str
) -> Response:
    return await _deletion_page(request, services, principal, account_id)


@router.post("/{account_id}/delete")
async def delete_account(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("account.delete", "admin", "site")],
    account_id: str,
) -> Response:
    try:
        await services.access.accounts.delete(principal, account_id)
    except ConflictError as error:
        return await _deletion_page(request, services, principal, account_id, error)
    return see_other(f"{PREFIX}/people", "account_deleted")


async def _deletion_page(
    request: Request,
    services: Services,
    principal: Principal,
    account_id: str,
    refusal: ConflictError | None = None,
) -> Response:
    return render(
        request,
        "access/account_delete.html",
        status_code=200 if refusal is None else _UNPROCESSABLE,
        account=await services.access.accounts.get(principal, account_id),
        refusal=refusal,
    )
