"""What became of something stored.

Enough to know what to read again, and nothing of what it holds.
"""

from typing import Literal

from benchmark_manager.models.record import Record

ChangedNoun = Literal["project", "sync", "files", "modified_file", "release", "result", "sweep"]
ChangeVerb = Literal["created", "changed", "restored", "deleted", "progress", "finished"]


class Change(Record):
    """One change.

    `project_id` is None where the project is not known any more. `id` is the project's, the sync's,
    the modified file's, the result's, the sweep's, or the release's digest; None: several of that
    project, or its originals.
    """

    noun: ChangedNoun
    project_id: str | None
    id: str | None
    what: ChangeVerb
