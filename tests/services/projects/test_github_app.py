"""Projects without a token of their own, where the service has a GitHub App."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import SecretStr

from benchmark_manager.errors import StartError
from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.clocks import Clock
from support.service import Service, running_service

APP = 4711


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app_service(
    database_url: str, github: GitHubTestServer, tmp_path: Path, key: RSAPrivateKey, clock: Clock
) -> AsyncIterator[Service]:
    """A service with an App and a token; GitHub knows both."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    github.hosting.add_app(APP, public)
    github.hosting.add_token("service-token")
    async with running_service(
        database_url,
        github,
        tmp_path,
        externals=Externals(clock=clock),
        github_app_id=str(APP),
        github_app_private_key=SecretStr(pem(key)),
        github_token=SecretStr("service-token"),
    ) as running:
        yield running


FILES = {"config/a.yaml": b"a: 1\n"}


async def test_a_private_repository_is_read_as_the_installation(app_service: Service) -> None:
    app_service.repository("acme/private", FILES, private_to=[])
    app_service.github.hosting.install(APP, "acme")
    project = await app_service.synced("acme/private")
    assert (project["sync_status"], project["stats"]["config_files"]) == ("ok", 1)
    rows = (await app_service.get("/status"))["github"]
    assert [
        row["kind"] for row in rows if row["limit"] is not None and row["resources"].get("core")
    ][-1:] == ["app"]


async def test_one_token_serves_all_projects_of_an_installation(app_service: Service) -> None:
    for name in ("acme/one", "acme/two", "acme/three"):
        app_service.repository(name, FILES, private_to=[])
    app_service.github.hosting.install(APP, "acme")
    names = ("acme/one", "acme/two", "acme/three")
    states = [(await app_service.synced(name))["sync_status"] for name in names]
    assert states == ["ok", "ok", "ok"]
    requests = app_service.github.requests
    assert requests.count("/access_tokens$", method="POST") == 1
    assert requests.count("/installation$") == 1


async def test_where_the_app_is_not_installed_the_services_token_is_sent(
    app_service: Service,
) -> None:
    app_service.repository("acme/elsewhere", FILES, private_to=["service-token"])
    app_service.github.hosting.install(APP, "somebody")
    assert (await app_service.synced("acme/elsewhere"))["sync_status"] == "ok"
    assert app_service.github.requests.count("/access_tokens$") == 0


async def test_selected_repositories_are_distinguished_from_others_of_their_owner(
    app_service: Service,
) -> None:
    app_service.repository("acme/chosen", FILES, private_to=[])
    app_service.repository("acme/other", FILES, private_to=["service-token"])
    app_service.github.hosting.install(APP, "acme", ["acme/chosen"])
    assert (await app_service.synced("acme/chosen"))["sync_status"] == "ok"
    assert (await app_service.synced("acme/other"))["sync_status"] == "ok"
    assert app_service.github.requests.count("/installation$") == 2


async def test_a_projects_own_token_comes_first(app_service: Service) -> None:
    app_service.repository("acme/own", FILES, private_to=["own-token"])
    app_service.github.hosting.install(APP, "acme")
    assert (await app_service.synced("acme/own", github_token="own-token"))["sync_status"] == "ok"
    assert app_service.github.requests.count("/installation$") == 0


@pytest.mark.parametrize(("owners", "serves"), [("other", False), ("other, Acme", True)])
async def test_the_app_serves_the_owners_that_are_listed_only(
    database_url: str,
    github: GitHubTestServer,
    tmp_path: Path,
    key: RSAPrivateKey,
    owners: str,
    serves: bool,
) -> None:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    github.hosting.add_app(APP, public)
    app: dict[str, Any] = {"github_app_id": str(APP), "github_app_private_key": SecretStr(pem(key))}
    async with running_service(
        database_url, github, tmp_path, github_owners=owners, **app
    ) as service:
        service.repository("acme/private", FILES, private_to=[])
        github.hosting.install(APP, "acme")
        project = await service.project("acme/private")
        await service.sync(project["id"], 200 if serves else 422)
        assert (github.requests.count("/installation$") > 0) is serves


async def test_a_token_is_renewed_before_it_ends(app_service: Service, clock: Clock) -> None:
    app_service.repository("acme/long", FILES, private_to=[])
    app_service.github.hosting.install(APP, "acme")
    project = await app_service.synced("acme/long")
    clock.forward(minutes=50)
    await app_service.sync(project["id"])
    assert app_service.github.requests.count("/access_tokens$") == 1
    clock.forward(minutes=6)
    await app_service.sync(project["id"])
    assert app_service.github.requests.count("/access_tokens$") == 2


async def test_a_suspended_installation_leaves_the_project_failing_and_its_files_unchanged(
    app_service: Service, clock: Clock
) -> None:
    app_service.repository("acme/suspended", FILES, private_to=[])
    installation = app_service.github.hosting.install(APP, "acme")
    project = await app_service.synced("acme/suspended")
    installation.suspended = True
    clock.forward(minutes=56)
    problem = await app_service.sync(project["id"], 422)
    assert problem["code"] == "github_forbidden"
    assert await app_service.files(project["id"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "neither GITHUB_APP_PRIVATE_KEY nor"),
        ({"github_app_private_key": SecretStr("no key")}, "is no private key in PEM"),
    ],
)
async def test_a_wrong_key_is_reported_at_the_start_in_one_line(
    database_url: str,
    github: GitHubTestServer,
    tmp_path: Path,
    settings: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(StartError, match=message) as error:
        async with running_service(
            database_url, github, tmp_path, github_app_id=str(APP), **settings
        ):
            pass
    assert "no key" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("setting", ["github_app_private_key_file", "github_app_private_key"])
async def test_the_key_may_come_from_a_file_or_with_escaped_line_breaks(
    database_url: str, github: GitHubTestServer, tmp_path: Path, key: RSAPrivateKey, setting: str
) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem(key))
    escaped = SecretStr(pem(key).replace("\n", "\\n"))
    given: dict[str, Any] = {setting: file if setting.endswith("_file") else escaped}
    async with running_service(
        database_url, github, tmp_path, github_app_id=str(APP), **given
    ) as service:
        assert (await service.get("/health"))["status"] == "healthy"


async def test_a_token_which_ended_early_is_replaced_at_once(app_service: Service) -> None:
    app_service.repository("acme/again", FILES, private_to=[])
    installation = app_service.github.hosting.install(APP, "acme")
    project = await app_service.synced("acme/again")
    app_service.github.hosting.expire_tokens(installation)
    assert (await app_service.sync(project["id"]))["status"] == "unchanged"
    assert app_service.github.requests.count("/access_tokens$") == 2
