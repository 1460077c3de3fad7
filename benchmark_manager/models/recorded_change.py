"""Changes: the facts that an audit record of one change needs."""

from typing import Literal

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
    "project.create",
    "project.edit",
    "project.pause",
    "project.resume",
    "project.delete",
    "project.reset",
    "release.create",
    "release.edit",
]


class RecordedChange(Record):
    """One change of one object.

    `actor` is None where the caller does not name one. `before` and `after` are revisions: None
    where the object did not exist before, or does not exist afterwards.
    """

    action: ChangeAction
    actor: str | None
    project_id: str
    object_id: str
    before: int | None
    after: int | None
