"""The audit's log lines, what housekeeping deletes, and for how long records are kept."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Literal

import pytest

from benchmark_manager.errors import ConflictError
from benchmark_manager.models.access.audit import AuditFilter, AuditRecord
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.recorded_change import RecordedChange
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.database.database import Database, Session
from support.access import NOW, a_record
from support.principals import account, admin, maintainer_of, open_principal, service_principal
from support.reused_database import lent_database
from support.service import Service

KIM = account("kim", role="editor").model_copy(update={"address": "192.0.2.7", "request_id": "r1"})
CHANGE = RecordedChange(
    action="variant.edit",
    principal=KIM,
    project_id="p",
    object_id="v",
    name="config/a.yaml",
    keys=("content",),
    before=1,
    after=2,
)

BY_PROXY = account("kim").model_copy(update={"via": "proxy"})
RUNNER = Principal(kind="program", id="rule", name="ci (repo:acme)", via="federation", role=None)


@pytest.fixture
async def database(either_url: str) -> AsyncIterator[Database]:
    async with lent_database(either_url) as database:
        yield database


def log_over(database: Database, *, kept: timedelta | None = None) -> AuditLog:
    return AuditLog(AuditStore(database), kept=kept, clock=lambda: NOW)


async def records(database: Database) -> list[AuditRecord]:
    return list((await AuditStore(database).page(AuditFilter(), PageRequest())).rows)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Return the lines of the logger `audit`."""
    entries = [entry for entry in caplog.records if entry.name == "audit"]
    # Structlog's messages are mappings.
    return [entry.msg for entry in entries]  # type: ignore[misc]


async def test_a_change_becomes_a_record_with_all_its_facts(database: Database) -> None:
    audit = log_over(database)
    await database.transaction(lambda session: audit([CHANGE], session))
    [record] = await records(database)
    assert record.model_dump(exclude={"id", "at"}) == {
        "actor": {"kind": "person", "id": "kim", "name": "kim", "via": "session"},
        "action": "variant.edit",
        "project_id": "p",
        "object": {"kind": "variant", "id": "v", "name": "config/a.yaml"},
        "keys": ("content",),
        "revision": 2,
        "address": "192.0.2.7",
        "request_id": "r1",
        "on_behalf_of": None,
        "outcome": "done",
    }


async def test_a_line_is_logged_once_the_change_is_stored(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    audit, during = log_over(database), []

    async def change(session: Session) -> None:
        await audit([CHANGE], session)
        during.extend(lines(caplog))

    await database.transaction(change)
    assert during == []
    [line] = lines(caplog)
    assert (line["event"], line["keys"], line["request_id"]) == ("variant.edit", ["content"], "r1")
    assert json.dumps(line["actor"], sort_keys=True) == json.dumps(
        {"id": "kim", "kind": "person", "name": "kim", "via": "session"}
    )


async def test_a_change_that_is_rolled_back_has_no_line(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    audit = log_over(database)

    async def change(session: Session) -> None:
        await audit([CHANGE], session)
        raise ConflictError("last_administrator")

    with pytest.raises(ConflictError):
        await database.transaction(change)
    assert lines(caplog) == []


async def test_a_transaction_that_is_repeated_has_one_line(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    audit, tries = log_over(database), 0
    documents = database.collection("start_check")
    await documents.insert_one({"_id": "contended", "by": 0})

    async def change(session: Session) -> None:
        nonlocal tries
        tries += 1
        await audit([CHANGE], session)
        await documents.find_one({"_id": "contended"}, session=session)
        if tries == 1:
            # Another's write makes this one a conflict, after which the driver repeats all of it.
            await documents.update_one({"_id": "contended"}, {"$set": {"by": 1}})
        await documents.update_one({"_id": "contended"}, {"$set": {"by": 2}}, session=session)

    await database.transaction(change)
    assert tries == 2
    assert len(lines(caplog)) == len(await records(database)) == 1


async def test_a_record_without_a_change_has_a_line(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await log_over(database).refused(KIM, "sign_in")
    assert [line["outcome"] for line in lines(caplog)] == ["refused"]


@pytest.mark.parametrize(
    ("principal", "action", "kind"),
    [(BY_PROXY, "sign_in", "account"), (RUNNER, "token_use", "federation")],
    ids=["proxy", "federation"],
)
async def test_of_two_replicas_one_records_the_first_request_of_a_day(
    database: Database, principal: Principal, action: str, kind: str
) -> None:
    times = iter((NOW, NOW, NOW + timedelta(days=1)))
    replicas = [AuditLog(AuditStore(database), clock=lambda: next(times)) for _ in range(3)]
    for replica in replicas:
        await replica.first_of_day(principal)
    found = await records(database)
    assert [(each.action, each.actor.via) for each in found] == [(action, principal.via)] * 2
    assert [(each.object.kind, each.object.name) for each in found if each.object] == [
        (kind, principal.name)
    ] * 2


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        (None, {"old", "young"}),
        (timedelta(days=400), {"old", "young"}),
        (timedelta(days=2), {"young"}),
    ],
)
async def test_old_records_are_deleted_as_the_setting_says(
    database: Database, kept: timedelta | None, left: set[str]
) -> None:
    await AuditStore(database).insert(
        [a_record(actor="old", age=timedelta(days=3)), a_record(actor="young")]
    )
    deleted = await log_over(database, kept=kept).purge(NOW)
    found = await records(database)
    assert {record.actor.name for record in found if record.action == "variant.edit"} == left
    assert deleted == 2 - len(left)
    purges = [record.actor for record in found if record.action == "audit.purge"]
    assert [(actor.kind, actor.name) for actor in purges] == [("service", "housekeeping")] * deleted


async def test_variants_that_leave_the_trash_are_on_record(service: Service) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    original = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(project["id"], original, modified_name="v.yaml")
    await service.http.delete(f"/modified-files/{variant['id']}")
    trash = service.services.trash
    await trash.purge(NOW + trash.retention + timedelta(days=1))
    [record, *_] = await records(service.services.database)
    assert (record.action, record.actor.kind, record.actor.name) == (
        "variant.purge",
        "service",
        "housekeeping",
    )
    assert record.object is not None
    assert (record.object.id, record.object.name) == (variant["id"], "config/v.yaml")


@pytest.mark.parametrize("trigger", ["poll", "webhook"])
async def test_a_sync_by_the_service_is_on_record_where_it_changes_something(
    service: Service, trigger: Literal["poll", "webhook"]
) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.project("acme/bench")
    for _ in ("changed", "unchanged"):
        await service.services.sync.sync(service_principal(trigger), project["id"], trigger)
    found = await records(service.services.database)
    syncs = [record for record in found if record.action == "project.sync"]
    assert [(one.actor.kind, one.actor.name, one.project_id) for one in syncs] == [
        ("service", trigger, project["id"])
    ]


async def test_a_sync_by_a_person_is_on_record_whatever_it_finds(service: Service) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.project("acme/bench")
    for _ in ("changed", "unchanged"):
        await service.services.sync.sync(admin(), project["id"], "manual")
    found = await records(service.services.database)
    syncs = [record for record in found if record.action == "project.sync"]
    assert [one.actor.name for one in syncs] == ["kim", "kim"]


@pytest.mark.parametrize(
    ("principal", "found"),
    [
        (admin(), ["p", "q", None]),
        (open_principal("jo"), ["p", "q", None]),
        (account(role="maintainer"), ["p", "q"]),
        (maintainer_of("q"), ["q"]),
        (maintainer_of("other"), []),
    ],
)
async def test_a_stream_has_what_the_principal_may_read(
    database: Database, principal: Principal, found: Sequence[str | None]
) -> None:
    await AuditStore(database).insert(
        [a_record(project_id=project_id) for project_id in (None, "q", "p")]
    )
    stream = log_over(database).every(principal, AuditFilter())
    assert [record.project_id async for record in stream] == found
