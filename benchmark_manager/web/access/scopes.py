"""The choice of projects for a token or a rule: all, or some."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from benchmark_manager.factory import Services
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.page import PageRequest
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import ROLE

#: Projects that a form offers.
_CHOICES: Final = 500
_NOTHING_CHOSEN: Final = N_("Choose a project, or all projects.")


@dataclass(frozen=True, slots=True)
class ProjectScope:
    """What a form says: `some` counts the ids, `all` does not."""

    scope: Literal["all", "some"] = "all"
    projects: frozenset[str] = frozenset()

    @classmethod
    def of(cls, project_ids: frozenset[str] | None) -> "ProjectScope":
        return cls() if project_ids is None else cls("some", project_ids)

    @classmethod
    def typed(cls, form: Form) -> "ProjectScope":
        """Read the form; one without a choice, which no browser sends, means no project."""
        return cls(
            "all" if form.text("scope") == "all" else "some",
            frozenset(form.texts("project")),
        )

    @property
    def project_ids(self) -> frozenset[str] | None:
        """The ids; None means all projects."""
        return None if self.scope == "all" else self.projects

    def errors(self, reader: Reader) -> dict[str, str]:
        is_empty = self.scope == "some" and not self.projects
        return {"projects": reader.words(_NOTHING_CHOSEN)} if is_empty else {}


async def project_names(
    services: Services, principal: Principal, chosen: Collection[str] = ()
) -> dict[str, str]:
    """Return the names of projects by id, as a form offers them.

    Ids that are chosen already are among them, even if their projects are not listed.
    """
    page = await services.projects.page(principal, PageRequest(limit=_CHOICES), None)
    names = {project.id: project.name for project in page.rows}
    return names | {chosen_id: chosen_id for chosen_id in chosen if chosen_id not in names}


def ids_of(scopes: Iterable[frozenset[str] | None]) -> frozenset[str]:
    """Return all ids that tokens or rules name."""
    return frozenset[str]().union(*(ids for ids in scopes if ids is not None))


def typed_role(form: Form) -> Role:
    """Return the role of a form; the least one for anything else."""
    return next((role for role in ROLE if role == form.text("role")), "reader")
