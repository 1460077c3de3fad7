"""Every file of a folder is copied exactly or listed, whatever the bytes of its name."""

import os

import pytest

from github_test_server import Repository, Status
from support.service import Json, Service

#: Two names that JSON shows alike, and the one that they are shown as.
ALIKE: dict[bytes | str, bytes] = {
    b"config/caf\xe9.yaml": b"v: 1\n",
    b"config/caf\xe8.yaml": b"v: 2\n",
    "config/caf\ufffd.yaml": b"v: 3\n",
}
BELOW: dict[bytes | str, bytes] = {
    b"config/d\xe9/a.yaml": b"v: 4\n",
    "config/d\ufffd/a.yaml": b"v: 5\n",
}
#: Good names, however odd.
ODD: dict[bytes | str, bytes] = {
    "config/\u1112\u1161\u11ab.yaml": b"nfd: 1\n",
    "config/\ud55c.yaml": b"nfc: 1\n",
    "config/back\\slash.yaml": b"v: 6\n",
    "config/caf\\xe9.yaml": b"v: 7\n",
    "config/new\nline.yaml": b"v: 8\n",
    "config/\x01\x7f\u202e.yaml": b"v: 9\n",
    "config/ .yaml": b"v: 10\n",
    'config/"quoted".yaml': b"v: 11\n",
}
SKIPPED = {r"config/caf\xe9.yaml (2)", r"config/caf\xe8.yaml", r"config/d\xe9/a.yaml"}


def good(files: dict[bytes | str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if isinstance(path, str)}


@pytest.mark.parametrize("token", [None, "reader"])
@pytest.mark.parametrize("way", ["archive", "listing"])
async def test_names_that_are_not_utf8_are_listed_and_others_hold_their_own_bytes(
    shared: Service, token: str | None, way: str
) -> None:
    repository = shared.repository(
        "acme/b", {"config/first.yaml": b"v: 0\n"}, private_to=token and [token]
    )
    project = await shared.project("acme/b", github_token=token)
    if way == "listing":
        await shared.sync(project["id"])
    files = ALIKE | BELOW | ODD
    repository.commit({os.fsencode(path): data for path, data in files.items()})
    sync = await shared.sync(project["id"])
    assert {row["path"]: row["reason"] for row in sync["skipped"]} == dict.fromkeys(
        SKIPPED, "name_not_utf8"
    )
    assert await shared.contents(project["id"]) == {"config/first.yaml": b"v: 0\n"} | good(files)
    await rests(shared, project, repository)


async def rests(service: Service, project: Json, repository: Repository) -> None:
    """The same names mean the same after a commit that changes none of them."""
    repository.commit({"config/first.yaml": b"v: 1\n"})
    sync = await service.sync(project["id"])
    assert (sync["updated"], sync["added"], sync["removed"]) == (1, 0, 0)
    assert {row["path"] for row in sync["skipped"]} == SKIPPED


async def test_without_graphql_and_archive_what_cannot_be_proved_is_listed(shared: Service) -> None:
    shared.github.faults.add(Status(404), path="graphql$", times=None)
    shared.github.faults.add(Status(404), path="/tarball/", times=None)
    repository = shared.repository("acme/b", private_to=["reader"])
    files = ALIKE | {"config/sub/\ufffd.yaml": b"real: 1\n"}
    repository.commit({os.fsencode(path): data for path, data in files.items()})
    project = await shared.project("acme/b", github_token="reader")
    sync = await shared.sync(project["id"])
    assert {row["reason"] for row in sync["skipped"]} == {"name_not_utf8"}
    assert len({row["path"] for row in sync["skipped"]}) == 3
    assert await shared.contents(project["id"]) == {"config/sub/\ufffd.yaml": b"real: 1\n"}
