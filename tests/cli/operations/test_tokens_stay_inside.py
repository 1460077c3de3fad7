"""Tokens, however they are given, are in no log, no answer and no file of the database."""

import shutil
from pathlib import Path

import httpx2 as httpx

from github_test_server import GitHubTestServer, Repository, ResetBefore
from support.process import service_process

SERVICE_TOKEN = "ghp_ServiceWideTokenOfTheTest0000000001"
PROJECT_TOKEN = "ghp_ProjectTokenOfTheTest00000000000002"
LATER_TOKEN = "github_pat_LaterTokenOfTheTest_000000003"
WRONG_TOKEN = "ghp_WrongTokenOfTheTest000000000000004"
PASTED_TOKEN = "ghp_TokenPastedIntoAnAddress00000000005"
SPACED_TOKEN = "ghp_TokenWithABlank 0000000000000000006"
TOKENS = (SERVICE_TOKEN, PROJECT_TOKEN, LATER_TOKEN, WRONG_TOKEN, PASTED_TOKEN, SPACED_TOKEN)


async def test_no_token_is_found_anywhere(
    github: GitHubTestServer, used_folder: Path, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "upstream" / "b.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository, private_to=[SERVICE_TOKEN, PROJECT_TOKEN, LATER_TOKEN])
    folder = tmp_path / "service"
    # Its embedded database is among the files.
    shutil.copytree(used_folder, folder / "data")
    settings = {"github_api_urls": github.url, "github_token": SERVICE_TOKEN}
    async with service_process(folder, **settings) as service, service.client() as http:
        answers = await _talk(http, github)
    assert any("github_unauthorized" in answer for answer in answers)
    assert any('"status":"success"' in answer for answer in answers)
    assert "sync finished" in service.output
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert written
    assert [answer for answer in answers if any(token in answer for token in TOKENS)] == []
    contents = {path: path.read_bytes() for path in written}
    assert [
        path for path, data in contents.items() if any(token.encode() in data for token in TOKENS)
    ] == []


async def _talk(http: httpx.AsyncClient, github: GitHubTestServer) -> list[str]:
    """Give tokens rightly and wrongly, make GitHub fail, and collect all that is said."""
    answers: list[httpx.Response] = []

    async def say(method: str, path: str, **body: object) -> httpx.Response:
        answers.append(await http.request(method, path, json=body or None))
        return answers[-1]

    common = {"github_repo_url": "acme/b", "polling_interval": 0}
    for name, token in (("service-wide", None), ("own", PROJECT_TOKEN), ("wrong", WRONG_TOKEN)):
        created = await say("POST", "/projects", name=name, github_token=token, **common)
        project = created.json()["id"]
        await say("POST", f"/projects/{project}/sync")
        await say("PUT", f"/projects/{project}", github_token=LATER_TOKEN)
        github.faults.add(ResetBefore(), times=None)
        await say("POST", f"/projects/{project}/sync")
        github.faults.clear()
        await say("GET", f"/projects/{project}")
        await say("GET", f"/projects/{project}/syncs")
    wrong_bodies: tuple[dict[str, object], ...] = (
        {"name": "x", **common, "github_token": SPACED_TOKEN},
        {"name": "x", **common, "github_token": {"value": WRONG_TOKEN}},
        {"name": "x", **common, "github_tokn": WRONG_TOKEN},
        {"name": "x", "github_repo_url": f"https://{PASTED_TOKEN}@github.com/acme/b"},
        {"name": "x", "github_repo_url": f"https://user:{PASTED_TOKEN}@127.0.0.1/acme/b"},
    )
    refused = [await say("POST", "/projects", **wrong) for wrong in wrong_bodies]
    assert [answer.status_code for answer in refused] == [422] * len(wrong_bodies)
    for path in ("/projects", "/status", "/health"):
        await say("GET", path)
    return [answer.text + str(answer.headers) for answer in answers]
