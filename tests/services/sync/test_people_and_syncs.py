"""People and upstream change everything at once for a while."""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.domain.merge import merge
from benchmark_manager.stores.contents.blobs import BlobStore
from github_test_server import Repository
from support.examples import ALL
from support.service import Json, Service

#: As long as upstream and people go on in the long test, seconds.
FUZZ_SECONDS = 4.0 if ALL else 1.5


DRIFTS = {"nothing": "current", "text": "behind", "keys": "behind", "conflict": "conflict"}


class Story:
    """Upstream and people who change everything at once, and what must hold all the while."""

    def __init__(
        self, service: Service, project: Json, repository: Repository, files: dict[str, bytes]
    ) -> None:
        self.service = service
        self.key = project["id"]
        self.repository = repository
        self.files = files
        self.changes = 0
        #: By sync: the files that the commit has, and those held afterwards.
        self.committed: list[dict[str, str]] = []
        self.held: list[dict[str, str]] = []
        self.synced: list[int] = []
        self.elsewhere: list[Json] = []
        self.faults: list[str] = []

    async def upstream(self, choice: random.Random, end: float) -> None:
        """Commit and sync, and note what is held afterwards."""
        while time.monotonic() < end:
            new = changed_tree(choice, self.files)
            difference: dict[str, bytes | None] = dict.fromkeys(self.files.keys() - new.keys())
            difference |= {path: data for path, data in new.items() if self.files.get(path) != data}
            if not difference or not new:
                continue
            self.repository.commit(difference, message="change")
            self.files = new
            self.committed.append({path: blob_id(data) for path, data in new.items()})
            self.synced.append((await self.service.sync(self.key))["synced_files"])
            files = await self.service.files(self.key)
            self.held.append({path: file["sha"] for path, file in files.items()})

    async def person(self, choice: random.Random, end: float) -> None:
        """Make, change and delete variants; note those outside their original's folder."""
        while time.monotonic() < end:
            originals = list((await self.service.files(self.key, include_removed=True)).values())
            variants = await self.service.rows(f"/projects/{self.key}/modified-files")
            self.elsewhere += [
                variant
                for variant in variants
                if folder(variant["path"]) != folder(variant["original_path"])
            ]
            method, path, body = an_action(choice, self.key, originals, variants)
            answer = await self.service.http.request(method, path, json=body)
            self.faults += [answer.text] if answer.status_code >= 500 else []
            self.changes += answer.is_success

    async def check(self) -> None:
        """Every variant has the true drift of its original."""
        database = self.service.services.database
        contents = BlobStore(database)
        originals = {
            row["_id"]: row for row in await database.collection("files").find({}).to_list()
        }
        expected, found = [], []
        for variant in await database.collection("modified_files").find({}).to_list():
            original = originals[variant["original_file_id"]]
            shas = variant["base_sha"], original["sha"], variant["content_sha"]
            base, theirs, mine = [(await contents.get(sha)).decode() for sha in shas]
            outcome = merge(base, theirs, mine, variant["format"]).outcome
            drift = "upstream_removed" if original["removed_at"] else DRIFTS[outcome]
            expected.append((drift, original["path"], original["file_type"]))
            found.append((variant["drift"], variant["original_path"], variant["file_type"]))
        assert found == expected
        await self.service.services.trash.purge(datetime.now(UTC) + timedelta(days=31))
        originals = {
            row["_id"]: row for row in await database.collection("files").find({}).to_list()
        }
        used = set(await database.collection("modified_files").distinct("original_file_id", {}))
        assert [
            row["path"] for key, row in originals.items() if row["removed_at"] and key not in used
        ] == []


def folder(path: str) -> str:
    return path.rpartition("/")[0]


# Few paths and contents, so that there are many renames, swaps and returns.
BODIES = [b"n: %d\n" % n for n in range(4)]


def changed_tree(choice: random.Random, files: dict[str, bytes]) -> dict[str, bytes]:
    """The files after one to three moves, removals, additions or updates."""
    new = dict(files)
    for _ in range(choice.randrange(1, 4)):
        path = f"config/{choice.choice('xyz')}/{choice.randrange(5)}.yaml"
        match choice.choices(["move", "remove", "write"], [35, 25, 40])[0]:
            case "move" if new:
                new[path] = new.pop(choice.choice(sorted(new)))
            case "remove" if new:
                new.pop(choice.choice(sorted(new)))
            case _:
                new[path] = choice.choice(BODIES)
    return new


def an_action(
    choice: random.Random, project_id: str, originals: list[Json], variants: list[Json]
) -> tuple[str, str, Json | None]:
    """A request which a person might make: method, path and body."""
    of_project = f"/projects/{project_id}/modified-files"
    name = f"v{choice.randrange(4)}.yaml"
    match choice.choices(["make", "change", "delete", "delete all"], [50, 20, 28, 2])[0]:
        case "make" if originals:
            return (
                "POST",
                of_project,
                {"original_file_id": choice.choice(originals)["id"], "modified_name": name},
            )
        case "change" if variants:
            body = {"content": f"z: {choice.randrange(9)}\n", "modified_name": name}
            return "PUT", f"/modified-files/{choice.choice(variants)['id']}", body
        case "delete" if variants:
            return "DELETE", f"/modified-files/{choice.choice(variants)['id']}", None
        case "delete all":
            return "DELETE", of_project, None
    return "GET", of_project, None


async def test_people_and_syncs_at_once_leave_every_record_true(either: Service) -> None:
    # The same sequence each time, as far as the machine allows.
    choice = random.Random(7)  # noqa: S311
    either.github.limits.set(None, limit=10**6, remaining=10**6)
    files = {f"config/{part}/{n}.yaml": choice.choice(BODIES) for part in "xy" for n in range(4)}
    repository = either.repository("acme/b", files)
    story = Story(either, await either.synced("acme/b"), repository, files)
    end = time.monotonic() + FUZZ_SECONDS
    people = [story.person(random.Random(seed), end) for seed in range(3)]  # noqa: S311 -- as above
    await asyncio.gather(story.upstream(choice, end), *people)
    assert min(len(story.committed), story.changes) > 0
    assert story.held == story.committed
    assert story.synced == [len(files) for files in story.committed]
    assert story.elsewhere == []
    assert story.faults == []
    await either.sync(story.key)
    await story.check()
