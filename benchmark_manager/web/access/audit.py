"""Pages of the audit: of everything that one may read, and of one project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from benchmark_manager.domain.fields import LONGEST_ID, LONGEST_NAME, LONGEST_PATH
from benchmark_manager.factory import Services
from benchmark_manager.incoming import ServicesDependency, requires
from benchmark_manager.models.access.audit import AuditFilter, AuditRecord, Outcome
from benchmark_manager.models.access.principal import Principal, Via
from benchmark_manager.models.page import PageRequest
from benchmark_manager.web import PREFIX
from benchmark_manager.web.access.scopes import project_names
from benchmark_manager.web.site.forms import protected_form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.pages import (
    CursorParameter,
    next_url,
    project_view,
    rows_from,
    searched,
)
from benchmark_manager.web.site.rendering import render
from benchmark_manager.web.site.words import Word

router = APIRouter(prefix=PREFIX, dependencies=[Depends(protected_form)], include_in_schema=False)

#: What was done or refused, in the words of a button.
ACTIONS: Final[Mapping[str, str]] = {
    "variant.create": N_("Make a variant"),
    "variant.edit": N_("Edit a variant"),
    "variant.rename": N_("Rename a variant"),
    "variant.rebase": N_("Rebase a variant"),
    "variant.reattach": N_("Attach a variant to another original"),
    "variant.restore": N_("Restore a revision of a variant"),
    "variant.delete": N_("Delete a variant"),
    "variant.undelete": N_("Restore a variant from the trash"),
    "variant.purge": N_("Delete a variant from the trash"),
    "release.create": N_("Make a release"),
    "release.edit": N_("Change a release"),
    "result.create": N_("Upload a result"),
    "result.edit": N_("Change a result"),
    "result.delete": N_("Delete a result"),
    "result.undelete": N_("Restore a result"),
    "result.purge": N_("Delete a result from the trash"),
    "receipt.create": N_("Upload a receipt"),
    "sweep.create": N_("Make a sweep"),
    "sweep.edit": N_("Change a sweep"),
    "sweep.rebase": N_("Rebase a sweep"),
    "sweep.delete": N_("Delete a sweep"),
    "project.create": N_("Add a project"),
    "project.edit": N_("Change a project's settings"),
    "project.pause": N_("Pause a project"),
    "project.resume": N_("Resume a project"),
    "project.sync": N_("Sync"),
    "project.reset": N_("Delete all variants of a project"),
    "project.delete": N_("Delete a project"),
    "grant.put": N_("Give a role in a project"),
    "grant.delete": N_("Take a role in a project away"),
    "sign_in": N_("Sign in"),
    "sign_out": N_("Sign out"),
    "session.delete": N_("End a session"),
    "session.delete_all": N_("End all sessions"),
    "account.create": N_("Make an account"),
    "account.edit": N_("Change an account"),
    "account.password": N_("Change a password"),
    "account.delete": N_("Delete an account"),
    "token.create": N_("Make a token"),
    "token_use": N_("Use a token, the first time in a day"),
    "token.delete": N_("Revoke a token"),
    "federation.create": N_("Make a federation rule"),
    "federation.edit": N_("Change a federation rule"),
    "federation.delete": N_("Delete a federation rule"),
    "audit.purge": N_("Delete old audit records"),
}
OUTCOMES: Final[Mapping[Outcome, Word]] = {
    "done": Word(N_("Done"), "check", "good"),
    "refused": Word(N_("Refused"), "cross", "bad"),
}
#: How a principal proved who it is, where its kind does not say that.
VIAS: Final[Mapping[Via, str]] = {
    "token": N_("by token"),
    "federation": N_("by federation"),
    "service": N_("the service itself"),
}
#: What both templates need of these.
_WORDS: Final[Mapping[str, Any]] = {"actions": ACTIONS, "outcomes": OUTCOMES, "vias": VIAS}

#: Years that no calendar of a browser leaves, and that have a next day.
_Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(9000, 1, 1))]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters of a page, as its form shows them."""

    actor: str
    action: str
    object: str
    outcome: Outcome | Literal[""]
    since: date | None
    #: The last day that counts.
    until: date | None

    @property
    def query(self) -> str:
        """Return the filters that are set, as a query."""
        values = {
            "actor": self.actor,
            "action": self.action,
            "object": self.object,
            "outcome": self.outcome,
            "since": self.since,
            "until": self.until,
        }
        return urlencode({name: value for name, value in values.items() if value})

    def wanted(self, project_id: str | None) -> AuditFilter:
        """Return what the filters leave, of one project or of all."""
        return AuditFilter(
            actor=self.actor or None,
            action=self.action or None,
            object=self.object or None,
            project_ids=None if project_id is None else frozenset({project_id}),
            outcome=self.outcome or None,
            since=None if self.since is None else _begin(self.since),
            until=None if self.until is None else _begin(self.until + timedelta(days=1)),
        )

    def download(self, project_id: str | None) -> str:
        """Return the query by which the API answers all records that the filters leave."""
        wanted = self.wanted(project_id).model_dump(exclude_none=True, exclude={"project_ids"})
        wanted.pop("of_projects")
        times = {
            name: value.isoformat() for name, value in wanted.items() if isinstance(value, datetime)
        }
        project = {} if project_id is None else {"project_id": project_id}
        return urlencode({**wanted, **times, **project, "format": "jsonl"})


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def chosen_filters(
    actor: Annotated[str, Query(max_length=LONGEST_NAME)] = "",
    action: Annotated[str, Query(max_length=LONGEST_ID)] = "",
    object_: Annotated[str, Query(alias="object", max_length=LONGEST_PATH)] = "",
    outcome: Outcome | Literal[""] = "",
    since: _Day | Literal[""] = "",
    until: _Day | Literal[""] = "",
) -> Chosen:
    return Chosen(
        searched(actor), searched(action), searched(object_), outcome, since or None, until or None
    )


@dataclass(frozen=True, slots=True)
class ShownRecords:
    """One page of records, and what leads on from it."""

    rows: Sequence[AuditRecord]
    total: int
    chosen: Chosen
    #: The query for all of them in the API.
    download: str
    cursor: str | None
    next_url: str | None


ChosenDependency = Annotated[Chosen, Depends(chosen_filters)]


@router.get("/audit")
async def show_audit(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer", "anywhere")],
    chosen: ChosenDependency,
    cursor: CursorParameter = None,
) -> Response:
    shown = await _shown(request, services, principal, chosen, None, rows_from(cursor))
    projects = await project_names(services, principal)
    return render(request, "access/audit.html", shown=shown, projects=projects, **_WORDS)


@router.get("/projects/{project_id}/history")
async def show_history(
    request: Request,
    services: ServicesDependency,
    principal: Annotated[Principal, requires("maintainer")],
    project_id: str,
    chosen: ChosenDependency,
    cursor: CursorParameter = None,
) -> Response:
    view = await project_view(services, project_id)
    shown = await _shown(request, services, principal, chosen, project_id, rows_from(cursor))
    return render(request, "access/history.html", view=view, shown=shown, **_WORDS)


async def _shown(
    request: Request,
    services: Services,
    principal: Principal,
    chosen: Chosen,
    project_id: str | None,
    page: PageRequest,
) -> ShownRecords:
    found = await services.access.audit.page(principal, chosen.wanted(project_id), page)
    return ShownRecords(
        rows=found.rows,
        total=found.total,
        chosen=chosen,
        download=chosen.download(project_id),
        cursor=page.cursor,
        next_url=next_url(request, found.next_cursor),
    )
