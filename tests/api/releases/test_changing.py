"""What of a release may change, and the digests by which it is found."""

import httpx2 as httpx
import pytest

from support.problems import assert_problem, fields_at_fault
from support.released import make_release
from support.service import Json, Service


async def test_name_description_and_pin_may_change(service: Service, release: Json) -> None:
    path = f"/releases/{release['digest']}"
    seen = (await service.http.get(path)).headers["etag"]
    assert seen.startswith('"1.')
    changed = await service.put(path, {"name": "second", "pinned": True}, 200, **{"If-Match": seen})
    assert changed == {**release, "name": "second", "pinned": True}
    answer = await service.http.put(path, json={"name": "third"}, headers={"If-Match": seen})
    assert assert_problem(answer, 412, "stale")["current_revision"] == 2
    assert await service.put(path, {}) == changed
    assert await service.put(path, {"name": None, "description": None, "pinned": None}) == changed
    answer = await service.http.put(path, json={"description": "why"})
    assert answer.headers["etag"].startswith('"3.')
    assert answer.json() == {**changed, "description": "why"}
    assert (await service.put(path[:30], {"name": ""}))["name"] == ""
    assert (await service.get(path))["files"] == release["files"]


@pytest.mark.parametrize(
    "body", [{"files": []}, {"digest": "x"}, {"pinned": "no"}], ids=["files", "digest", "no pin"]
)
async def test_a_wrong_change_of_a_release_changes_nothing(
    service: Service, release: Json, body: Json
) -> None:
    path = f"/releases/{release['digest']}"
    assert fields_at_fault(await service.http.put(path, json=body)) == {*body}
    assert await service.get(path) == release


async def test_a_making_changes_the_etag_but_makes_no_edit_stale(
    service: Service, project: Json, release: Json
) -> None:
    path = f"/releases/{release['digest']}"
    seen = (await service.http.get(path)).headers["etag"]
    assert (await service.http.get(path, headers={"If-None-Match": seen})).status_code == 304
    await make_release(service, project, 200)
    answer = await service.http.get(path, headers={"If-None-Match": seen})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    edited = await service.http.put(path, json={"name": "x"}, headers={"If-Match": seen})
    assert edited.status_code == 200


ROUTES = ("", "/SHA256SUMS", "/archive", "/configmap", "/files/a", "/compare/{digits}")


def digits_of(release: Json) -> str:
    digits: str = release["digest"].removeprefix("sha256:")
    return digits


@pytest.mark.parametrize(
    "reference", ["{digits}", "{digits:.12}", "sha256:{digits:.12}", "{upper:.40}"]
)
async def test_a_release_is_found_by_twelve_digits_or_more(
    module_service: Service, release: Json, reference: str
) -> None:
    digits = digits_of(release)
    reference = reference.format(digits=digits, upper=digits.upper())
    assert (await module_service.get(f"/releases/{reference}"))["digest"] == release["digest"]


async def answers_of(service: Service, release: Json, reference: str) -> list[httpx.Response]:
    """Ask each route of a release for this reference."""
    digits = digits_of(release)
    absent = "0" * 64 if digits[0] != "0" else "1" * 64
    paths = [f"/releases/{reference}{route}" for route in ROUTES]
    return [await service.http.get(path.format(digits=digits, absent=absent)) for path in paths]


@pytest.mark.parametrize("reference", ["0", "{digits:.11}", "sha256:{digits:.11}"])
async def test_fewer_digits_are_refused(
    module_service: Service, release: Json, reference: str
) -> None:
    answers = await answers_of(module_service, release, reference)
    faults = [fields_at_fault(answer, "digest_too_short") for answer in answers]
    assert faults == [{"digest"}] * len(ROUTES)


@pytest.mark.parametrize(
    "reference",
    ["{absent}", "{absent:.12}", "{digits}0", "latest", "sha256:", "{digits:.12}g"],
)
async def test_no_release_has_other_digits(
    module_service: Service, release: Json, reference: str
) -> None:
    answers = await answers_of(module_service, release, reference)
    problems = [assert_problem(answer, 404, "release_not_found") for answer in answers]
    assert len(problems) == len(ROUTES)


async def test_digits_that_two_releases_share_name_neither(service: Service, release: Json) -> None:
    digits = digits_of(release)
    releases = service.services.database.collection("releases")
    [row] = await releases.find({"digest": digits}).to_list()
    del row["_id"]
    await releases.insert_one({**row, "digest": digits[:12] + "0" * 52})
    path = f"/releases/{digits[:12]}"
    assert_problem(await service.http.get(path), 409, "digest_ambiguous")
    assert_problem(await service.http.put(path, json={}), 409, "digest_ambiguous")
    assert (await service.get(f"/releases/{digits[:20]}"))["digest"] == release["digest"]
