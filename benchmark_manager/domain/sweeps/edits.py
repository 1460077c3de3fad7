"""What changes of sweeps, as pure edits."""

from datetime import datetime

from benchmark_manager.models.sweep import (
    Sweep,
    SweepDefinition,
    SweepNote,
    SweptBase,
)


def is_same(one: SweepDefinition, other: SweepDefinition) -> bool:
    """Return whether two definitions are the same, down to the types of numbers."""
    return one.model_dump_json() == other.model_dump_json()


def changed_fields(before: SweepDefinition, after: SweepDefinition) -> tuple[str, ...]:
    """Return the names of the fields of a definition that an edit changed."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return tuple(name for name, value in new.items() if repr(old[name]) != repr(value))


def redefined(
    sweep: Sweep,
    definition: SweepDefinition,
    notes: tuple[SweepNote, ...],
    bases: tuple[SweptBase, ...],
    others_id: str,
    *,
    at: datetime,
) -> Sweep:
    """Return the next revision of a sweep, with another definition on the same files."""
    return sweep.model_copy(
        update={
            "name": definition.name,
            "description": definition.description,
            "definition": definition,
            "notes": notes,
            "bases": bases,
            "others_id": others_id,
            "revision": sweep.revision + 1,
            "updated_at": at,
        }
    )


def rebased(
    sweep: Sweep,
    commit_sha: str | None,
    bases: tuple[SweptBase, ...],
    base_list_id: str,
    others_id: str,
    *,
    at: datetime,
) -> Sweep:
    """Return the next revision of a sweep, with the same definition on other files."""
    return sweep.model_copy(
        update={
            "bases": bases,
            "base_list_id": base_list_id,
            "others_id": others_id,
            "base_commit_sha": commit_sha,
            "generation": sweep.generation + 1,
            "revision": sweep.revision + 1,
            "updated_at": at,
        }
    )
