"""Changes: the facts that an audit record of one change needs."""

from typing import Literal, Self

from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.project import Project
from benchmark_manager.models.record import Record

ChangeAction = Literal[
    "variant.create",
    "variant.edit",
    "variant.rename",
    "variant.rebase",
    "variant.reattach",
    "variant.restore",
    "variant.delete",
    "variant.undelete",
    "variant.purge",
    "project.create",
    "project.edit",
    "project.pause",
    "project.resume",
    "project.delete",
    "project.reset",
    "project.sync",
    "release.create",
    "release.edit",
    "result.create",
    "result.edit",
    "result.delete",
    "result.undelete",
    "result.purge",
    "receipt.create",
    "sweep.create",
    "sweep.edit",
    "sweep.rebase",
    "sweep.delete",
]


class RecordedChange(Record):
    """One change of one object.

    `before` and `after` are revisions: None where the object did not exist before, or does not
    exist afterwards. `keys` are the names of the fields that changed, never their values. A sync of
    all projects names none.
    """

    action: ChangeAction
    principal: Principal
    project_id: str | None
    object_id: str
    #: The object's name, for readers of the record; "" where it has none.
    name: str = ""
    keys: tuple[str, ...] = ()
    before: int | None
    after: int | None

    @classmethod
    def of_project(
        cls,
        action: ChangeAction,
        principal: Principal,
        project: Project,
        *,
        before: int | None = None,
        after: int | None = None,
        keys: tuple[str, ...] = (),
    ) -> Self:
        """Return the change of a project as a whole."""
        return cls(
            action=action,
            principal=principal,
            project_id=project.id,
            object_id=project.id,
            name=project.name,
            keys=keys,
            before=before,
            after=after,
        )


class RefusedChange(Record):
    """A change that was refused because the principal's role does not suffice.

    `action` is what the route would have done. The ids are those of the request's path: either may
    be None.
    """

    action: str
    principal: Principal
    project_id: str | None
    object_id: str | None
