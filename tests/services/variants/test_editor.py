"""The write path of variants: every change and its record stand in one transaction."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmark_manager.domain.variants.edits import described, renamed
from benchmark_manager.errors import NotFoundError, StaleError
from benchmark_manager.factory.externals import utc_now
from benchmark_manager.factory.stores import Stores
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.access.recording import ChangeRecorder
from benchmark_manager.services.variants.editor import VariantEditor
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.sync.staged_changes import PublishedReset, StepSizes
from support.principals import open_principal
from support.recorded_changes import RecordedChanges
from support.service import Json, Service
from support.unchanged_service import unchanged_service

RESET = "65f0c0ffee65f0c0ffee65f0"
ADA = open_principal("ada")


def stores_of(service: Service) -> VariantStores:
    database = service.services.database
    stores = Stores.over(database)
    return VariantStores(
        database=database,
        projects=stores.projects,
        originals=stores.originals,
        variants=stores.variants,
        revisions=stores.revisions,
        trash=stores.trash,
        blobs=stores.blobs,
    )


def editor_of(service: Service, record: ChangeRecorder) -> VariantEditor:
    return VariantEditor(stores_of(service), clock=utc_now, record=record)


async def change_description(variant: Variant, _: Session) -> Variant:
    return described(variant, "changed")


async def change_name(variant: Variant, _: Session) -> Variant:
    return renamed(variant, "other.yaml")


async def change_nothing(variant: Variant, _: Session) -> Variant:
    return variant


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, with their variant as it was made."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def variant(module_service: Service) -> Json:
    service = module_service
    service.repository("acme/edited", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/edited")
    original = (await service.files(project["id"]))["config/a.yaml"]
    return await service.variant(project["id"], original, modified_name="mine.yaml")


async def test_an_edit_is_recorded_with_its_actor_and_revisions(
    service: Service, variant: Json
) -> None:
    records = RecordedChanges()
    edited = await editor_of(service, records).edit(
        ADA, variant["id"], change_description, expected_revisions={1}
    )
    assert (edited.after.description, edited.after.revision) == ("changed", 2)
    assert records.facts == [("variant.edit", "ada", 1, 2)]


async def test_a_new_name_alone_is_recorded_as_a_rename(service: Service, variant: Json) -> None:
    records = RecordedChanges()
    await editor_of(service, records).edit(ADA, variant["id"], change_name, expected_revisions=None)
    assert records.facts == [("variant.rename", "ada", 1, 2)]


async def test_an_edit_that_changes_nothing_makes_no_revision_and_no_record(
    service: Service, variant: Json
) -> None:
    records = RecordedChanges()
    edited = await editor_of(service, records).edit(
        ADA, variant["id"], change_nothing, expected_revisions=None
    )
    assert (edited.made_revision, edited.after.revision, records.changes) == (False, 1, [])


async def test_an_edit_of_another_revision_is_refused_and_not_recorded(
    service: Service, variant: Json
) -> None:
    records = RecordedChanges()
    with pytest.raises(StaleError):
        await editor_of(service, records).edit(
            ADA, variant["id"], change_description, expected_revisions={7}
        )
    assert records.changes == []


async def test_an_edit_whose_record_cannot_be_written_is_not_stored(
    service: Service, variant: Json
) -> None:
    editor = editor_of(service, RecordedChanges(fails=True))
    with pytest.raises(RuntimeError):
        await editor.edit(ADA, variant["id"], change_description, expected_revisions=None)
    assert await service.get(f"/modified-files/{variant['id']}") == variant


async def test_a_deletion_is_recorded(service: Service, variant: Json) -> None:
    records = RecordedChanges()
    await editor_of(service, records).delete(ADA, variant["id"], expected_revisions=None)
    assert records.facts == [("variant.delete", "ada", 1, None)]


async def test_a_deletion_whose_record_cannot_be_written_deletes_nothing(
    service: Service, variant: Json
) -> None:
    editor = editor_of(service, RecordedChanges(fails=True))
    with pytest.raises(RuntimeError):
        await editor.delete(ADA, variant["id"], expected_revisions=None)
    assert await service.get(f"/modified-files/{variant['id']}") == variant


async def test_a_reset_is_one_record_of_the_project(service: Service, variant: Json) -> None:
    records, project_id = RecordedChanges(), variant["project_id"]
    count = await editor_of(service, records).reset(ADA, project_id, RESET)
    assert count == 1
    assert [(one.action, one.object_id) for one in records.changes] == [
        ("project.reset", project_id)
    ]


async def test_a_reset_of_nothing_is_not_recorded(service: Service, variant: Json) -> None:
    await service.http.delete(f"/modified-files/{variant['id']}")
    records = RecordedChanges()
    assert await editor_of(service, records).reset(ADA, variant["project_id"], RESET) == 0
    assert records.changes == []


async def test_an_undeletion_is_recorded_with_the_revision_after_the_deletion(
    service: Service, variant: Json
) -> None:
    await service.http.delete(f"/modified-files/{variant['id']}")
    records, stores = RecordedChanges(), stores_of(service)
    trashed = (await stores.trash.get(variant["id"])).file
    editor = editor_of(service, records)
    await stores.database.transaction(lambda session: editor.undelete(ADA, [trashed], session))
    assert records.facts == [("variant.undelete", "ada", None, 3)]


async def test_a_deleted_variant_cannot_be_edited(service: Service, variant: Json) -> None:
    await service.http.delete(f"/modified-files/{variant['id']}")
    with pytest.raises(NotFoundError):
        await editor_of(service, RecordedChanges()).edit(
            ADA, variant["id"], change_description, expected_revisions=None
        )


async def test_a_large_reset_is_one_record_when_it_is_published(
    service: Service, variant: Json
) -> None:
    records, database = RecordedChanges(), service.services.database
    stores, project_id = Stores.over(database), variant["project_id"]
    resets = LargeResets(
        database,
        stores.variants,
        stores.trash,
        stores.staged_changes,
        steps=StepSizes(),
        record=records,
    )
    project = await stores.projects.get(project_id)
    assert (
        await resets.reset(ADA, project, PublishedReset(project_id, RESET, utc_now(), "ada")) == 1
    )
    assert [(one.action, one.object_id, one.name) for one in records.changes] == [
        ("project.reset", project_id, project.name)
    ]
    assert await service.rows(f"/projects/{project_id}/modified-files") == []
