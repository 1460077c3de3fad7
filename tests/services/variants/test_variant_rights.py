"""Who may do what with variants, as their services decide."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from benchmark_manager.domain.variants.edits import described
from benchmark_manager.errors import ForbiddenError, InvalidInputError, NotFoundError, StaleError
from benchmark_manager.factory import utc_now
from benchmark_manager.factory.stores import Stores
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.variants.editor import VariantEditor
from benchmark_manager.services.variants.rebase_all import RebaseSelection
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.stores.database.database import Session
from support.principals import (
    account,
    admin,
    editor_of,
    limited_to,
    maintainer_of,
    reader_of,
    stranger,
)
from support.recorded_changes import RecordedChanges
from support.service import Json, Service
from support.unchanged_database import unchanged


@dataclass(frozen=True)
class ProjectOfVariants:
    """A project with a variant that can be rebased, one in the trash, and another original."""

    service: Service
    project_id: str
    variant_id: str
    trashed_id: str
    original_id: str
    other_original_id: str
    reset_id: str = "65f0c0ffee65f0c0ffee65f0"

    async def stored(self) -> list[Json]:
        """Everything that a refused change could have changed."""
        project = f"/projects/{self.project_id}"
        return [
            *await self.service.rows(f"{project}/modified-files"),
            *await self.service.rows(f"{project}/trash"),
            *await self.service.rows(f"/modified-files/{self.variant_id}/revisions"),
        ]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(module_service: Service) -> ProjectOfVariants:
    service = module_service
    repository = service.repository(
        "acme/guarded", {"config/a.yaml": b"a: 1\n\n\n\nb: 1\n", "config/b.yaml": b"b: 1\n"}
    )
    project = await service.synced("acme/guarded")
    files = await service.files(project["id"])
    original, other = files["config/a.yaml"], files["config/b.yaml"]
    mine = await service.variant(
        project["id"], original, modified_name="mine.yaml", content="a: 1\n\n\n\nb: 2\n"
    )
    gone = await service.variant(project["id"], original, modified_name="gone.yaml")
    await service.http.delete(f"/modified-files/{gone['id']}")
    repository.commit(
        {"config/a.yaml": b"a: 2\n\n\n\nb: 1\n", "config/b.yaml": b"b: 1\n"}, message="second"
    )
    await service.sync(project["id"])
    return ProjectOfVariants(
        service, project["id"], mine["id"], gone["id"], original["id"], other["id"]
    )


@pytest.fixture
async def case(made: ProjectOfVariants) -> AsyncIterator[ProjectOfVariants]:
    """The same for each test, whatever the tests before changed."""
    async with unchanged(made.service.services.database):
        yield made


Act = Callable[[ProjectOfVariants, Principal], Awaitable[object]]


async def get(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.variants.get(principal, case.variant_id)


async def read_content(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.variants.with_content(principal, case.variant_id)


async def list_revisions(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.revisions.page(principal, case.variant_id, PageRequest())


async def get_revision(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.revisions.get(principal, case.variant_id, "1")


async def compare(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.comparing.diff(principal, case.variant_id, "base")


async def compare_with_revision(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.comparing.texts(principal, case.variant_id, "revision:1")


async def preview_merge(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.merging.preview(principal, case.variant_id)


async def get_deleted(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.trash.get(principal, case.trashed_id)


async def update(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.variants.update(
        principal,
        case.variant_id,
        modified_name="other.yaml",
        content="a: 7\n",
        description=None,
        allow_invalid=False,
        expected_revisions=None,
    )


async def delete(case: ProjectOfVariants, principal: Principal) -> object:
    await case.service.services.trash.delete(principal, case.variant_id, None)
    return None


async def undelete(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.trash.undelete(
        principal, case.trashed_id, modified_name=None
    )


async def restore(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.revisions.restore(
        principal, case.variant_id, 1, expected_revisions=None
    )


async def rebase(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.merging.rebase(
        principal, case.variant_id, expected_original=None, expected_revisions=None
    )


async def reattach(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.reattaching.reattach(
        principal, case.variant_id, case.other_original_id, expected_revisions=None
    )


async def create(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.variants.create(
        principal,
        case.project_id,
        case.original_id,
        modified_name="new.yaml",
        content=None,
        description="",
        allow_invalid=False,
    )


async def rebase_all(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.rebase_all.rebase(
        principal, case.project_id, RebaseSelection(), PageRequest(), seconds=10
    )


async def reset(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.trash.reset(principal, case.project_id)


async def undo_reset(case: ProjectOfVariants, principal: Principal) -> object:
    return await case.service.services.trash.undo_reset(principal, case.project_id, case.reset_id)


READING: tuple[Act, ...] = (
    get,
    read_content,
    list_revisions,
    get_revision,
    compare,
    compare_with_revision,
    preview_merge,
    get_deleted,
)
#: Changes of one variant, which its id names.
EDITING: tuple[Act, ...] = (update, delete, undelete, restore, rebase, reattach)
#: Changes in a project that the request names, and the role that suffices.
IN_PROJECT: tuple[tuple[Act, str], ...] = (
    (create, "editor"),
    (rebase_all, "editor"),
    (reset, "maintainer"),
    (undo_reset, "maintainer"),
)


def name_of(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("act", [*READING, *EDITING], ids=name_of)
async def test_a_variant_that_may_not_be_read_does_not_exist(
    case: ProjectOfVariants, act: Act
) -> None:
    before = await case.stored()
    with pytest.raises(NotFoundError) as caught:
        await act(case, stranger())
    asked = case.trashed_id if act in {get_deleted, undelete} else case.variant_id
    assert (caught.value.code, caught.value.facts) == ("modified_file_not_found", {"id": asked})
    assert await case.stored() == before


@pytest.mark.parametrize("act", [act for act, _ in IN_PROJECT], ids=name_of)
async def test_a_project_that_may_not_be_read_does_not_exist(
    case: ProjectOfVariants, act: Act
) -> None:
    before = await case.stored()
    with pytest.raises(NotFoundError) as caught:
        await act(case, stranger())
    assert (caught.value.code, caught.value.facts) == ("project_not_found", {"id": case.project_id})
    assert await case.stored() == before


@pytest.mark.parametrize("act", READING, ids=name_of)
async def test_a_reader_of_the_project_reads(case: ProjectOfVariants, act: Act) -> None:
    assert await act(case, reader_of(case.project_id)) is not None


@pytest.mark.parametrize("act", [*EDITING, create, rebase_all], ids=name_of)
async def test_a_reader_changes_nothing(case: ProjectOfVariants, act: Act) -> None:
    before = await case.stored()
    with pytest.raises(ForbiddenError) as caught:
        await act(case, reader_of(case.project_id))
    assert caught.value.role_needed == "editor"
    assert await case.stored() == before


@pytest.mark.parametrize("act", [reset, undo_reset], ids=name_of)
async def test_an_editor_does_not_reset(case: ProjectOfVariants, act: Act) -> None:
    before = await case.stored()
    with pytest.raises(ForbiddenError) as caught:
        await act(case, editor_of(case.project_id))
    assert caught.value.role_needed == "maintainer"
    assert await case.stored() == before


@pytest.mark.parametrize(
    "act", [update, undelete, rebase, reattach, create, rebase_all], ids=name_of
)
async def test_an_editor_changes_variants(case: ProjectOfVariants, act: Act) -> None:
    before = await case.stored()
    await act(case, editor_of(case.project_id))
    assert await case.stored() != before


async def test_an_editor_restores_a_revision(case: ProjectOfVariants) -> None:
    await update(case, editor_of(case.project_id))
    await restore(case, editor_of(case.project_id))
    revisions = await case.service.rows(f"/modified-files/{case.variant_id}/revisions")
    assert [one["what"] for one in revisions] == ["restored", "edited", "created"]


async def test_an_editor_deletes_a_variant(case: ProjectOfVariants) -> None:
    await delete(case, editor_of(case.project_id))
    trash = await case.service.rows(f"/projects/{case.project_id}/trash")
    assert {one["id"] for one in trash} == {case.variant_id, case.trashed_id}


async def test_a_maintainer_resets_and_undoes_it(case: ProjectOfVariants) -> None:
    maintainer, trash = maintainer_of(case.project_id), case.service.services.trash
    count, reset_id = await trash.reset(maintainer, case.project_id)
    assert count == 1
    assert reset_id is not None
    undone = await trash.undo_reset(maintainer, case.project_id, reset_id)
    assert [one.id for one in undone.restored] == [case.variant_id]


async def test_a_role_in_another_project_is_none_in_this_one(case: ProjectOfVariants) -> None:
    with pytest.raises(NotFoundError):
        await update(case, maintainer_of("65f0c0ffee65f0c0ffee65f0"))


async def test_a_token_for_readers_changes_nothing_though_its_owner_may(
    case: ProjectOfVariants,
) -> None:
    with pytest.raises(ForbiddenError):
        await update(case, limited_to(admin(), "reader", case.project_id))


async def test_who_may_not_change_a_variant_does_not_learn_its_revision(
    case: ProjectOfVariants,
) -> None:
    with pytest.raises(ForbiddenError):
        await case.service.services.trash.delete(
            reader_of(case.project_id), case.variant_id, frozenset({99})
        )
    with pytest.raises(StaleError):
        await case.service.services.trash.delete(
            editor_of(case.project_id), case.variant_id, frozenset({99})
        )


async def test_the_original_of_a_project_that_may_not_be_read_does_not_exist(
    case: ProjectOfVariants,
) -> None:
    case.service.repository("acme/other", {"config/x.yaml": b"x: 1\n"})
    other = await case.service.synced("acme/other")
    [foreign] = (await case.service.files(other["id"])).values()
    with pytest.raises(NotFoundError) as caught:
        await case.service.services.reattaching.reattach(
            editor_of(case.project_id), case.variant_id, foreign["id"], expected_revisions=None
        )
    assert (caught.value.code, caught.value.facts) == ("file_not_found", {"id": foreign["id"]})
    with pytest.raises(InvalidInputError) as refused:
        await case.service.services.reattaching.reattach(
            account(role="editor"), case.variant_id, foreign["id"], expected_revisions=None
        )
    assert refused.value.code == "other_project"


async def test_a_preview_of_a_rebase_of_all_is_for_readers(case: ProjectOfVariants) -> None:
    report = await case.service.services.rebase_all.preview(
        reader_of(case.project_id), case.project_id, RebaseSelection(), PageRequest(), seconds=10
    )
    assert report.ids("rebased") == [case.variant_id]
    with pytest.raises(NotFoundError):
        await case.service.services.rebase_all.preview(
            stranger(), case.project_id, RebaseSelection(), PageRequest(), seconds=10
        )


async def change_description(variant: Variant, _: Session) -> Variant:
    return described(variant, "changed")


def editor_over(service: Service, records: RecordedChanges) -> VariantEditor:
    database = service.services.database
    stores = Stores.over(database)
    variant_stores = VariantStores(
        database=database,
        projects=stores.projects,
        originals=stores.originals,
        variants=stores.variants,
        revisions=stores.revisions,
        trash=stores.trash,
        blobs=stores.blobs,
    )
    return VariantEditor(variant_stores, clock=utc_now, record=records)


async def test_the_write_path_itself_checks_the_role(case: ProjectOfVariants) -> None:
    records = RecordedChanges()
    with pytest.raises(ForbiddenError):
        await editor_over(case.service, records).edit(
            reader_of(case.project_id),
            case.variant_id,
            change_description,
            expected_revisions=None,
        )
    assert records.changes == []


async def test_a_record_has_the_principal_the_path_and_the_fields_that_changed(
    case: ProjectOfVariants,
) -> None:
    records, principal = RecordedChanges(), editor_of(case.project_id)
    await editor_over(case.service, records).edit(
        principal, case.variant_id, change_description, expected_revisions=None
    )
    assert [(one.principal, one.name, one.keys) for one in records.changes] == [
        (principal, "config/mine.yaml", ("description",))
    ]


async def test_what_a_person_made_has_the_name_of_the_person(case: ProjectOfVariants) -> None:
    await update(case, editor_of(case.project_id))
    changed = await case.service.get(f"/modified-files/{case.variant_id}")
    assert (changed["updated_by"], changed["created_by"]) == ("kim", "anonymous")
