"""Syncs of 100,000 files, and of 10,000 with a hundred problems each, on both databases.

`benchmarks/large_sync.py` says how long they take, and with how much memory.
"""

from pathlib import Path

import pytest

from github_test_server import GitHubTestServer
from support.process import service_process
from support.service import Api

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(("files", "problems"), [(100_000, 0), (10_000, 100)])
async def test_any_repository_is_synced(
    mongo_url: str, github: GitHubTestServer, tmp_path: Path, files: int, problems: int
) -> None:
    odd = "".join(f"odd_{n}: {{}}:{n % 60:02}\n" for n in range(problems)) or "number: {}\n"
    texts = {
        f"config/{n // 100:03}/{n:05}.yaml": odd.replace("{}", str(n + 1)).encode()
        for n in range(files)
    }
    settings = {"mongo_url": mongo_url, "github_api_urls": github.url}
    async with service_process(tmp_path, **settings) as process, process.client(1700) as http:
        service = Api(http, github, tmp_path)
        repository = service.repository("acme/large", texts, private_to=["t"])
        github.limits.set("t", limit=10**6, remaining=10**6)
        project = (await service.project("acme/large", github_token="t"))["id"]
        sync = await service.sync(project)
        assert (sync["status"], sync["added"]) == ("success", files)
        assert (await service.sync(project))["status"] == "unchanged"
        changed = dict(list(texts.items())[:1000])
        repository.commit(
            {path: data + b"more: 1\n" for path, data in changed.items()}, message="some"
        )
        assert (await service.sync(project))["updated"] == len(changed)
        first = (await service.http.get(f"/projects/{project}/files", params={"limit": 1})).json()[
            0
        ]
        assert len(first["problems"]) == problems
