"""Who may read and change releases, as their service decides."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from benchmark_manager.errors import ForbiddenError, NotFoundError, StaleError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.release import Release
from support.principals import (
    account,
    admin,
    editor_of,
    limited_to,
    maintainer_of,
    reader_of,
    stranger,
)
from support.service import Service
from support.unchanged_database import unchanged

FILES = {"config/a.yaml": b"a: 1\n"}


@dataclass(frozen=True)
class ReleaseOfTwoProjects:
    """Two projects with the same files; the first made the release twice, and the second once."""

    service: Service
    first: str
    second: str
    digest: str

    async def get(self, principal: Principal) -> Release:
        return await self.service.services.releases.get(principal, self.digest)

    async def update(
        self,
        principal: Principal,
        *,
        pinned: bool | None = None,
        revisions: frozenset[int] | None = None,
    ) -> Release:
        return await self.service.services.releases.update(
            principal,
            self.digest,
            name="other",
            description=None,
            pinned=pinned,
            expected_revisions=revisions,
        )

    async def make(
        self, principal: Principal, project_id: str, *, pinned: bool = False
    ) -> tuple[Release, bool]:
        return await self.service.services.releases.make(
            principal,
            project_id,
            name="made again",
            description="",
            pinned=pinned,
            contents="all",
            variant_ids=None,
        )


async def case_of(service: Service) -> ReleaseOfTwoProjects:
    service.repository("acme/first", FILES)
    first = (await service.synced("acme/first"))["id"]
    service.repository("acme/second", FILES)
    second = (await service.synced("acme/second"))["id"]
    made = await service.post(f"/projects/{first}/releases", {"name": "the first"}, 201)
    case = ReleaseOfTwoProjects(service, first, second, made["digest"])
    await case.make(editor_of(second), second)
    await case.make(account("jo", "editor"), first)
    return case


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(module_service: Service) -> ReleaseOfTwoProjects:
    return await case_of(module_service)


@pytest.fixture
async def case(made: ReleaseOfTwoProjects) -> AsyncIterator[ReleaseOfTwoProjects]:
    """The same for each test, whatever the tests before changed."""
    async with unchanged(made.service.services.database):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def either_case(module_either: Service) -> ReleaseOfTwoProjects:
    """The same on each database, for tests that only read what databases count."""
    return await case_of(module_either)


async def test_a_release_of_projects_that_may_not_be_read_does_not_exist(
    case: ReleaseOfTwoProjects,
) -> None:
    with pytest.raises(NotFoundError) as caught:
        await case.get(stranger())
    assert (caught.value.code, caught.value.facts) == ("release_not_found", {"id": case.digest})


async def test_a_release_is_read_through_any_project_that_made_it(
    case: ReleaseOfTwoProjects,
) -> None:
    assert (await case.get(reader_of(case.second))).digest == case.digest


async def test_makings_of_other_projects_are_left_out_and_not_counted(
    either_case: ReleaseOfTwoProjects,
) -> None:
    release = await either_case.get(reader_of(either_case.second))
    assert (release.project_id, release.created_by, release.makings_count) == (
        either_case.second,
        "kim",
        1,
    )
    makings = await either_case.service.services.releases.makings(release)
    assert [(one.number, one.project_id) for one in makings] == [(1, either_case.second)]


async def test_all_makings_are_listed_for_who_may_read_all_projects(
    case: ReleaseOfTwoProjects,
) -> None:
    release = await case.get(account(role="reader"))
    makings = await case.service.services.releases.makings(release)
    assert [(one.number, one.project_id) for one in makings] == [
        (1, case.first),
        (2, case.second),
        (3, case.first),
    ]
    assert (release.project_id, release.makings_count) == (case.first, 3)


async def test_makings_are_numbered_as_they_may_be_read(case: ReleaseOfTwoProjects) -> None:
    release = await case.get(reader_of(case.first))
    makings = await case.service.services.releases.makings(release)
    assert [(one.number, one.created_by) for one in makings] == [(1, "anonymous"), (2, "jo")]
    assert release.makings_count == 2


async def test_origins_are_those_of_a_making_that_may_be_read(case: ReleaseOfTwoProjects) -> None:
    release = await case.get(reader_of(case.second))
    [file] = await case.service.services.releases.files(release)
    [original] = (await case.service.files(case.second)).values()
    assert file.commit_sha == original["commit_sha"]


async def test_a_making_of_another_project_has_no_number(case: ReleaseOfTwoProjects) -> None:
    release = await case.get(reader_of(case.second))
    with pytest.raises(NotFoundError) as caught:
        await case.service.services.releases.files(release, 2)
    assert caught.value.code == "making_not_found"


async def test_the_list_shows_releases_as_they_may_be_read(
    either_case: ReleaseOfTwoProjects,
) -> None:
    page = await either_case.service.services.releases.page(
        reader_of(either_case.second), either_case.second, PageRequest()
    )
    assert [(one.project_id, one.makings_count, one.project_ids) for one in page.rows] == [
        (either_case.second, 1, (either_case.second,))
    ]


async def test_the_list_of_a_project_that_may_not_be_read_does_not_exist(
    case: ReleaseOfTwoProjects,
) -> None:
    with pytest.raises(NotFoundError) as caught:
        await case.service.services.releases.page(reader_of(case.second), case.first, PageRequest())
    assert (caught.value.code, caught.value.facts) == ("project_not_found", {"id": case.first})


async def test_files_that_only_others_released_are_new(case: ReleaseOfTwoProjects) -> None:
    case.service.repository("acme/third", FILES)
    third = (await case.service.synced("acme/third"))["id"]
    made, new = await case.make(editor_of(third), third)
    assert (made.digest, new, made.makings_count) == (case.digest, True, 1)


async def test_files_that_a_readable_project_released_are_not_new(
    case: ReleaseOfTwoProjects,
) -> None:
    made, new = await case.make(editor_of(case.second), case.second)
    assert (new, made.makings_count) == (False, 2)


async def test_a_pinned_release_of_deleted_projects_is_read_only_with_a_role_in_all_projects(
    case: ReleaseOfTwoProjects,
) -> None:
    await case.update(admin(), pinned=True)
    for project_id in (case.first, case.second):
        await case.service.http.delete(f"/projects/{project_id}")
    with pytest.raises(NotFoundError):
        await case.get(stranger())
    assert (await case.get(account(role="reader"))).pinned


async def test_a_release_is_not_read_through_a_deleted_project(case: ReleaseOfTwoProjects) -> None:
    await case.service.http.delete(f"/projects/{case.second}")
    with pytest.raises(NotFoundError):
        await case.get(reader_of(case.second))


async def test_a_stranger_cannot_change_what_does_not_exist_for_him(
    case: ReleaseOfTwoProjects,
) -> None:
    with pytest.raises(NotFoundError):
        await case.update(stranger())


async def test_a_reader_changes_no_release(case: ReleaseOfTwoProjects) -> None:
    with pytest.raises(ForbiddenError) as caught:
        await case.update(reader_of(case.first, case.second), revisions=frozenset({99}))
    assert caught.value.role_needed == "editor"
    assert (await case.get(admin())).name == "the first"


async def test_an_editor_of_one_project_renames_the_release(case: ReleaseOfTwoProjects) -> None:
    await case.update(editor_of(case.second))
    assert (await case.get(admin())).name == "other"


async def test_an_editor_learns_of_a_newer_revision(case: ReleaseOfTwoProjects) -> None:
    with pytest.raises(StaleError):
        await case.update(editor_of(case.second), revisions=frozenset({99}))


async def test_an_editor_cannot_pin(case: ReleaseOfTwoProjects) -> None:
    with pytest.raises(ForbiddenError) as caught:
        await case.update(editor_of(case.first), pinned=True)
    assert caught.value.role_needed == "maintainer"
    found = await case.get(admin())
    assert (found.name, found.pinned) == ("the first", False)


async def test_an_editor_may_repeat_the_present_pin(case: ReleaseOfTwoProjects) -> None:
    assert (await case.update(editor_of(case.first), pinned=False)).name == "other"


async def test_a_maintainer_of_one_project_pins(case: ReleaseOfTwoProjects) -> None:
    assert (await case.update(maintainer_of(case.second), pinned=True)).pinned


@pytest.mark.parametrize(
    ("role", "pinned", "needed"), [("reader", False, "editor"), ("editor", True, "maintainer")]
)
async def test_editors_make_releases_and_only_maintainers_pinned_ones(
    case: ReleaseOfTwoProjects, role: str, needed: str, *, pinned: bool
) -> None:
    principal = (reader_of if role == "reader" else editor_of)(case.first)
    with pytest.raises(ForbiddenError) as caught:
        await case.make(principal, case.first, pinned=pinned)
    assert caught.value.role_needed == needed
    assert (await case.get(admin())).makings_count == 3


async def test_a_maintainer_makes_a_pinned_release(case: ReleaseOfTwoProjects) -> None:
    release, _ = await case.make(maintainer_of(case.first), case.first, pinned=True)
    assert release.pinned


async def test_a_release_of_a_project_that_may_not_be_read_cannot_be_made(
    case: ReleaseOfTwoProjects,
) -> None:
    with pytest.raises(NotFoundError) as caught:
        await case.make(editor_of(case.second), case.first)
    assert (caught.value.code, caught.value.facts) == ("project_not_found", {"id": case.first})
    assert (await case.get(admin())).makings_count == 3


async def test_a_token_of_one_project_reads_the_release_through_it(
    case: ReleaseOfTwoProjects,
) -> None:
    release = await case.get(limited_to(admin(), "reader", case.second))
    assert (release.project_ids, release.makings_count) == ((case.second,), 1)
