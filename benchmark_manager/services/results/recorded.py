"""Changes of results, for their records."""

from benchmark_manager.domain.results.edits import changed_fields
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.recorded_change import ChangeAction, RecordedChange
from benchmark_manager.models.result import StoredResult


def recorded(
    action: ChangeAction,
    principal: Principal,
    before: StoredResult | None,
    after: StoredResult | None,
) -> RecordedChange:
    """Return the change from one revision of a result to the next; one of them may be None."""
    result = after or before
    assert result is not None  # noqa: S101 -- one of them is there
    return RecordedChange(
        action=action,
        principal=principal,
        project_id=result.project_id,
        object_id=result.id,
        name=result.file_name,
        keys=() if before is None or after is None else changed_fields(before, after),
        before=None if before is None else before.revision,
        after=None if after is None else after.revision,
    )
