"""Pages of the rules by which signed tokens of other issuers are accepted."""

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
from benchmark_manager.models.access.credentials import FederationRule
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.services.access.federation import RuleDraft
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

_HOME: Final = f"{PREFIX}/people/federation"

router = APIRouter(prefix=_HOME, dependencies=[Depends(protected_form)], include_in_schema=False)

Administrator = Annotated[Principal, requires("admin", "site")]

_UNPROCESSABLE: Final = 422
_STALE: Final = 412
_FIELDS: Final = ("name", "issuer", "audience", "subject")


@dataclass(slots=True)
class RuleForm:
    """What was typed, and the errors by field; "" is the form as a whole."""

    name: str = ""
    issuer: str = ""
    audience: str = ""
    subject: str = ""
    match: Literal["exact", "prefix"] = "exact"
    role: Role = "reader"
    #: Some: a new rule that opens all projects takes a decision.
    chosen: ProjectScope = field(default_factory=lambda: ProjectScope("some"))
    revision: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: FederationRule) -> "RuleForm":
        return cls(
            name=rule.name,
            issuer=rule.issuer,
            audience=rule.audience,
            subject=rule.subject,
            match=rule.match,
            role=rule.role,
            chosen=ProjectScope.of(rule.project_ids),
            revision=rule.revision,
        )

    @classmethod
    def typed(cls, form: Form, reader: Reader) -> "RuleForm":
        made = cls(
            name=form.line("name"),
            issuer=form.line("issuer"),
            audience=form.line("audience"),
            subject=form.line("subject"),
            match="prefix" if form.text("match") == "prefix" else "exact",
            role=typed_role(form),
            chosen=ProjectScope.typed(form),
            revision=form.number("revision") or 0,
        )
        made.errors = made.chosen.errors(reader)
        return made

    def draft(self) -> RuleDraft:
        return RuleDraft(
            name=self.name,
            issuer=self.issuer,
            audience=self.audience,
            subject=self.subject,
            match=self.match,
            role=self.role,
            project_ids=self.chosen.project_ids,
        )

    def refuse(self, error: BenchmarkManagerError, reader: Reader) -> None:
        self.errors[refused_field(error, _FIELDS, "name")] = error_words(reader, error)


@router.get("")
async def list_rules(
    request: Request,
    services: ServicesDependency,
    principal: Administrator,
    cursor: CursorParameter = None,
) -> Response:
    page = await services.access.federation.page(principal, rows_from(cursor))
    chosen = ids_of(rule.project_ids for rule in page.rows)
    return render(
        request,
        "access/rules.html",
        rules=page.rows,
        names=await project_names(services, principal) if chosen else {},
        cursor=cursor,
        next_url=next_url(request, page.next_cursor),
    )


@router.get("/new")
async def new_rule(
    request: Request, services: ServicesDependency, principal: Administrator
) -> Response:
    return await _rule_page(request, services, principal, None, RuleForm())


@router.post("/new")
async def make_rule(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("federation.create", "admin", "site")],
    form: FormDependency,
) -> Response:
    reader = reader_of(request)
    typed = RuleForm.typed(form, reader)
    if not typed.errors:
        try:
            await services.access.federation.create(principal, typed.draft())
        except (InvalidInputError, ConflictError) as error:
            typed.refuse(error, reader)
        else:
            return see_other(_HOME, "rule_created")
    return await _rule_page(request, services, principal, None, typed, _UNPROCESSABLE)


@router.get("/{rule_id}")
async def show_rule(
    request: Request, services: ServicesDependency, principal: Administrator, rule_id: str
) -> Response:
    rule = await services.access.federation.get(principal, rule_id)
    return await _rule_page(request, services, principal, rule, RuleForm.of(rule))


@router.post("/{rule_id}")
async def save_rule(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("federation.edit", "admin", "site")],
    rule_id: str,
    form: FormDependency,
) -> Response:
    """Save the rule, or show what was typed again with the error."""
    reader = reader_of(request)
    typed = RuleForm.typed(form, reader)
    status = _UNPROCESSABLE
    if not typed.errors:
        try:
            saved = await services.access.federation.replace(
                principal, rule_id, typed.draft(), frozenset({typed.revision})
            )
        except (InvalidInputError, ConflictError) as error:
            typed.refuse(error, reader)
        except StaleError as error:
            status, typed.revision = _STALE, error.current_revision
        else:
            note = "unchanged" if saved.revision == typed.revision else "saved"
            return see_other(f"{_HOME}/{rule_id}", note)
    rule = await services.access.federation.get(principal, rule_id)
    return await _rule_page(request, services, principal, rule, typed, status)


async def _rule_page(
    request: Request,
    services: Services,
    principal: Principal,
    rule: FederationRule | None,
    form: RuleForm,
    status: int = 200,
) -> Response:
    return render(
        request,
        "access/rule.html",
        status_code=status,
        rule=rule,
        form=form,
        choices=await project_names(services, principal, form.chosen.projects),
        stale=status == _STALE,
    )


@router.get("/{rule_id}/delete")
async def confirm_deletion(
    request: Request, services: ServicesDependency, principal: Administrator, rule_id: str
) -> Response:
    rule = await services.access.federation.get(principal, rule_id)
    return render(request, "access/rule_delete.html", rule=rule)


@router.post("/{rule_id}/delete")
async def delete_rule(
    services: ServicesDependency,
    principal: Annotated[Principal, page_changes("federation.delete", "admin", "site")],
    rule_id: str,
) -> Response:
    await services.access.federation.delete(principal, rule_id)
    return see_other(_HOME, "rule_deleted")
