"""Releases of projects without a sync: files, cells of sweeps, and their makings."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.domain.releases.derived import BaseList
from benchmark_manager.domain.releases.digest import provenance_id, release_digest
from benchmark_manager.models.release import CellMaking, Release, ReleaseDraft, ReleaseFile
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.releases.releases import ReleaseStore

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def a_file(path: str, text: str, **changes: Any) -> ReleaseFile:
    """A file as it would be upstream."""
    data = text.encode()
    return ReleaseFile(
        **{
            "path": path,
            "sha": blob_id(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "source": "original",
            "original_sha": blob_id(data),
            "commit_sha": "c" * 40,
            **changes,
        }
    )


def files(count: int) -> list[ReleaseFile]:
    return [a_file(f"config/{n:04}.yaml", f"n: {n}\n") for n in range(count)]


def cell(
    base: Sequence[ReleaseFile], number: int, sweep_id: str, paths: Sequence[str] | None = None
) -> CellMaking:
    """The cell of this number; it sets `n` in the files at `paths`, else in the first one."""
    replacements = [
        a_file(path, f"n: cell {number}\n", sweep_id=sweep_id, assignments={"n": number})
        for path in paths or [base[0].path]
    ]
    return cell_of(base, sweep_id, replacements)


def cell_of(
    base: Sequence[ReleaseFile], sweep_id: str, replacements: Sequence[ReleaseFile]
) -> CellMaking:
    """The cell in which these files replace those at their paths."""
    derived = BaseList(base).with_replacements(replacements)
    return CellMaking(
        digest=derived.digest,
        provenance=derived.provenance,
        base_provenance=provenance_id(base),
        replacements=tuple(replacements),
        files_count=derived.files_count,
        size=derived.size,
        sweep_id=sweep_id,
    )


async def a_project(database: Database) -> str:
    """The id of a new project, which has nothing but that."""
    key = ObjectId()
    await database.collection("projects").insert_one({"_id": key, "name_key": str(key)})
    return str(key)


def draft(project_id: str, *, pinned: bool = False, at: datetime = NOW) -> ReleaseDraft:
    return ReleaseDraft(
        project_id=project_id,
        name="made",
        description="",
        pinned=pinned,
        created_at=at,
        created_by="ada",
    )


async def made_by_hand(
    store: ReleaseStore, database: Database, of: ReleaseDraft, found: Sequence[ReleaseFile]
) -> Release:
    digest, provenance = release_digest(found), provenance_id(found)
    await store.stage(digest, provenance, found, of.created_at)

    async def work(session: Session) -> Release:
        return (await store.make(of, digest, provenance, found, None, session))[0]

    return await database.transaction(work)


async def made_by_sweep(
    store: ReleaseStore,
    database: Database,
    of: ReleaseDraft,
    base: Sequence[ReleaseFile],
    cells: Sequence[CellMaking],
) -> None:
    await store.stage_base(provenance_id(base), base, of.created_at)

    async def work(session: Session) -> None:
        await store.make_cells(of, cells, session)

    await database.transaction(work)


async def dropped(store: ReleaseStore, database: Database, sweep_id: str) -> None:
    async def work(session: Session) -> bool:
        return await store.drop_cells(sweep_id, session)

    while await database.transaction(work):
        pass


async def held(database: Database) -> dict[str, int]:
    """How many lists hold each content."""
    rows = database.collection("release_blobs").find({})
    return {row["_id"]: row["releases"] async for row in rows}
