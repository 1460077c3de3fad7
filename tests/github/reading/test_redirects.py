"""Which redirects are followed, and what goes along."""

from pathlib import Path

import pytest

from benchmark_manager.errors import (
    GitHubUnavailableError,
)
from benchmark_manager.models.project import Ref
from github_test_server import (
    GitHubTestServer,
    Redirect,
    Repository,
)
from support.hub import Hub
from support.small_repository import BLOB, CONTENT, TOKEN, refused

MAIN = Ref.of_branch("main")


@pytest.mark.parametrize("known", [True, False])
async def test_a_renamed_repository_is_followed_with_its_token(
    hub: Hub, commit: str, known: bool
) -> None:
    hub.server.hosting.make_private("octo/demo", [TOKEN])
    hub.server.rename("octo/demo", "octo/renamed")
    client = hub.repository(TOKEN)
    assert await client.head(MAIN, commit if known else None) == (None if known else commit)
    assert client.was_renamed
    assert (await client.info()).full_name == "octo/renamed"
    assert await client.blob(BLOB, len(CONTENT)) == CONTENT
    assert [r.status for r in hub.server.requests] == [
        301,
        304 if known else 200,
        301,
        200,
        301,
        200,
    ]
    assert all(r.authorized for r in hub.server.requests)


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_neither_request_nor_token_follow_a_redirect_to_another_host(
    hub: Hub, status: int
) -> None:
    with GitHubTestServer() as other:
        hub.server.hosting.add_token(TOKEN)
        hub.server.faults.add(
            Redirect(f"{other.url}/repos/octo/demo/commits/HEAD", status), times=None
        )
        errors = [await refused(hub.repository(token).head(None, None)) for token in (TOKEN, None)]
        assert [type(error) for error in errors] == [GitHubUnavailableError] * 2
        assert len(other.requests) == 0
    assert (len(hub.server.requests), hub.pauses) == (2, [])


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize(
    "location", ["/repos/octo/demo/commits/HEAD", "http://[", "/" + "x" * 70_000, ""]
)
async def test_a_redirect_in_a_circle_or_to_nowhere_is_github_unavailable(
    hub: Hub, location: str
) -> None:
    hub.server.faults.add(Redirect(location), times=None)
    assert (await refused(hub.repository().head(None, None))).code == "github_unavailable"
    assert len(hub.server.requests) <= 5


async def test_a_redirect_out_of_the_api_of_an_enterprise_server_is_refused(
    hub: Hub, repository: Repository
) -> None:
    repository.commit({"a": b""})
    with GitHubTestServer(api_path="/api/v3") as enterprise:
        enterprise.add("octo/demo", repository)
        client = hub.repository(api_url=enterprise.url)
        assert await client.head(None, None) is not None
        enterprise.faults.add(Redirect(f"{enterprise.origin}/api/v3/../../login"), times=None)
        assert (await refused(client.head(None, None))).code == "github_unavailable"
        assert enterprise.requests.count("login") == 0


@pytest.mark.usefixtures("commit")
async def test_a_netrc_file_gives_no_credentials(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login octocat password hunter2\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    await hub.repository().head(None, None)
    assert [r.authorized for r in hub.server.requests] == [False]
