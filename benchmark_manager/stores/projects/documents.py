"""Convert projects to documents and back."""

from collections.abc import Mapping
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.projects.refs import ref_of_stored_branch
from benchmark_manager.domain.text.folding import fold
from benchmark_manager.models.project import Project, Ref, Source, SyncState
from benchmark_manager.models.sync import ErrorInfo, SyncSummary, SyncTrigger, SyncWarning
from benchmark_manager.stores.database.database import Document

#: The order in which due projects are claimed: syncs that people asked for, pushes, polls.
_RANKS: Final[dict[SyncTrigger, int]] = {"manual": 0, "webhook": 1, "poll": 2}


def due_by(trigger: SyncTrigger) -> Document:
    """Return the fields for why a project is due, which also decide its rank."""
    return {"due_trigger": trigger, "due_rank": _RANKS[trigger]}


def dotted(name: str, fields: Mapping[str, Any]) -> Document:
    """Return the fields of an embedded document, to be set one by one.

    The stored document may have fields that this version does not know.
    """
    return {f"{name}.{field}": value for field, value in fields.items()}


def project_document(project: Project) -> Document:
    """Return the document of a project."""
    document = project.model_dump(exclude={"id"})
    # Versions before 0.2 read this field and send it to GitHub, which finds the same commit.
    document["source"]["branch"] = _as_branch(project.source.ref)
    return {
        "_id": ObjectId(project.id),
        "name_key": fold(project.name),
        "repository_key": project.source.repository.key,
        "credential": project.source.credential_hint,
        "due_rank": _RANKS[project.due_trigger],
        **document,
    }


def _as_branch(ref: Ref | None) -> str | None:
    return ref if ref is None else f"tags/{ref.name}" if ref.kind == "tag" else ref.name


def _ref_of(source: Document) -> Ref | None:
    """Return the ref, or the branch where a version before 0.2 has changed it since."""
    stored, branch = source.get("ref"), source["branch"]
    if stored is not None and _as_branch(ref := Ref(**stored)) == branch:
        return ref
    return None if branch is None else ref_of_stored_branch(branch)


def project_of(document: Document) -> Project:
    """Return the project of a document."""
    state = document["state"]
    summary, error = state["last_sync"], state["error"]
    return Project(
        id=str(document["_id"]),
        name=document["name"],
        source=Source(**{**document["source"], "ref": _ref_of(document["source"])}),
        polling_interval=document["polling_interval"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        revision=document["revision"],
        state=SyncState(
            **{
                **state,
                "last_sync": None if summary is None else SyncSummary(**summary),
                "warnings": tuple(SyncWarning(**warning) for warning in state["warnings"]),
                "error": None if error is None else ErrorInfo(**error),
            }
        ),
        next_poll_at=document["next_poll_at"],
        due_trigger=document["due_trigger"],
        paused=document.get("paused", False),
        wishes=document["wishes"],
        fence=document["fence"],
        pushed_sha=document.get("pushed_sha"),
        pushed_at=document.get("pushed_at"),
        lease_owner=document["lease_owner"],
        lease_until=document["lease_until"],
    )
