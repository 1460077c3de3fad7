"""The schema version: recorded at the first start, and a newer one stops the start."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from benchmark_manager.errors import StartError
from benchmark_manager.stores.database.meta import SCHEMA
from benchmark_manager.stores.migrations import STEPS
from github_test_server import GitHubTestServer
from support.service import Json, running_service


@pytest.fixture(params=["mongod", "embedded"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(
        "database_url" if request.param == "mongod" else "embedded_database_url"
    )
    return found


async def _meta(url: str, change: Json | None = None) -> list[Json]:
    async with AsyncMongoClient[Json](url, serverMonitoringMode="poll") as client:
        meta = client.get_default_database()["meta"]
        if change is not None:
            await meta.update_one({"_id": "schema"}, {"$set": change}, upsert=True)
        return await meta.find({}).to_list()


async def test_the_first_start_records_the_version(
    url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(url, github, tmp_path, opens_database=True):
        assert await _meta(url) == [{"_id": "schema", "version": SCHEMA}]


@pytest.mark.parametrize("version", [SCHEMA + 1, 10**6, "three"])
async def test_a_newer_version_stops_the_start_in_one_line_and_nothing_is_written(
    url: str, github: GitHubTestServer, tmp_path: Path, version: Any
) -> None:
    before = await _meta(url, {"version": version, "more": "of the newer one"})
    with pytest.raises(StartError) as caught:
        async with running_service(url, github, tmp_path, opens_database=True):
            pass
    assert "newer Benchmark Manager" in caught.value.detail
    assert "run that version again" in caught.value.detail
    assert "\n" not in caught.value.detail
    assert await _meta(url) == before
    # The next test has the same database.
    await _meta(url, {"version": SCHEMA})


def test_there_is_a_step_to_every_version() -> None:
    assert sorted(STEPS) == list(range(2, SCHEMA + 1))
