"""GitHub Apps: JSON web tokens, installations and the tokens made for them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from githubkit_schemas.latest import models
from pydantic import BaseModel, TypeAdapter

from github_test_server import GitHubTestServer, Installation, Repository
from support.clocks import SetClock

APP = 12345
DEMO = "/repos/octo/demo"
NUMERIC = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which "
    "the assertion expires"
)
ISSUED = (
    "'Issued at' claim ('iat') must be an Integer "
    "representing the time that the assertion was issued"
)
UNDECODABLE = "A JSON web token could not be decoded"

Sign = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _signed(claims: dict[str, object], algorithm: str, key: rsa.RSAPrivateKey) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    message = ".".join(_encoded(part) for part in parts)
    return f"{message}.{_encoded(key.sign(message.encode(), PKCS1v15(), SHA256()))}"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def server(
    clock: SetClock, key: rsa.RSAPrivateKey, repository: Repository
) -> AsyncIterator[GitHubTestServer]:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    async with GitHubTestServer(clock=clock) as server:
        for name in ["octo/demo", "octo/other", "elsewhere/private"]:
            server.add(name, repository, private_to=["secret"])
        server.add("elsewhere/public", repository)
        server.hosting.add_app(APP, public, slug="mirror")
        yield server


@pytest.fixture
def installation(server: GitHubTestServer) -> Installation:
    return server.hosting.install(APP, "octo")


@pytest.fixture
def sign(key: rsa.RSAPrivateKey, clock: SetClock) -> Sign:
    """Make the header with a JSON web token of the app; a claim which is None is left out."""

    def run(
        *, signed_with: rsa.RSAPrivateKey = key, algorithm: str = "RS256", **changed: object
    ) -> dict[str, str]:
        claims: dict[str, object] = {
            "iss": str(APP),
            "iat": int(clock.now) - 60,
            "exp": int(clock.now) + 540,
            **changed,
        }
        sent = {name: value for name, value in claims.items() if value is not None}
        return {"Authorization": f"Bearer {_signed(sent, algorithm, signed_with)}"}

    return run


async def _mint(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation, **body: object
) -> httpx2.Response:
    url = f"/app/installations/{installation.id}/access_tokens"
    return await client.post(url, headers=sign(), content=json.dumps(body) if body else None)


async def _token(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation
) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await _mint(client, sign, installation)).json()['token']}"}


async def test_an_app_is_returned_for_its_web_token(client: httpx2.AsyncClient, sign: Sign) -> None:
    answer = await client.get("/app", headers=sign())
    assert (answer.status_code, answer.json()["slug"], answer.json()["id"]) == (200, "mirror", APP)
    issuers = [APP, answer.json()["client_id"]]
    answers = [await client.get("/app", headers=sign(iss=issuer)) for issuer in issuers]
    assert [each.status_code for each in answers] == [200, 200]


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 1_800_000_601}, "'Expiration time' claim ('exp') is too far in the future"),
        ({"exp": 1_800_000_000}, NUMERIC),
        ({"exp": None}, NUMERIC),
        ({"iat": 1_800_000_001}, ISSUED),
        ({"iat": None}, ISSUED),
        ({"iat": "1799999999"}, ISSUED),
        ({"algorithm": "HS256"}, UNDECODABLE),
    ],
)
async def test_a_wrong_web_token_is_401(
    client: httpx2.AsyncClient, sign: Sign, claims: dict[str, object], message: str
) -> None:
    answer = await client.get("/app", headers=sign(**claims))
    assert (answer.status_code, answer.json()["message"]) == (401, message)


async def test_ten_minutes_ahead_is_not_too_far(
    client: httpx2.AsyncClient, sign: Sign, clock: SetClock
) -> None:
    answer = await client.get("/app", headers=sign(iat=int(clock.now), exp=int(clock.now) + 600))
    assert answer.status_code == 200


async def test_a_web_token_of_another_key_is_401(
    client: httpx2.AsyncClient, sign: Sign, other_key: rsa.RSAPrivateKey
) -> None:
    answer = await client.get("/app", headers=sign(signed_with=other_key))
    assert (answer.status_code, answer.json()["message"]) == (401, UNDECODABLE)


async def test_a_web_token_of_no_app_is_404(client: httpx2.AsyncClient, sign: Sign) -> None:
    answer = await client.get("/app", headers=sign(iss="999"))
    assert (answer.status_code, answer.json()["message"]) == (404, "Integration not found")


@pytest.mark.parametrize(
    "authorization", [None, "Bearer secret", "Bearer a.b.c", "Bearer eyJ.eyJ.x"]
)
async def test_nothing_else_opens_what_is_the_app_s(
    client: httpx2.AsyncClient, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    paths = ["/app", "/app/installations", f"{DEMO}/installation"]
    answers = [await client.get(path, headers=headers) for path in paths]
    found = [(answer.status_code, answer.json()["message"]) for answer in answers]
    assert found == [(401, UNDECODABLE)] * 3


async def test_a_web_token_reads_no_repository(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation
) -> None:
    assert installation.repository_selection == "all"
    assert (await client.get(DEMO, headers=sign())).status_code == 401


async def test_the_installation_of_a_repository_is_found(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation
) -> None:
    found = await client.get(f"{DEMO}/installation", headers=sign())
    listed = await client.get("/app/installations", headers=sign())
    assert (found.json()["id"], found.json()["account"]["login"]) == (installation.id, "octo")
    assert [each["id"] for each in listed.json()] == [installation.id]
    names = ["elsewhere/private", "elsewhere/public", "octo/none"]
    others = [await client.get(f"/repos/{name}/installation", headers=sign()) for name in names]
    assert [other.status_code for other in others] == [404, 404, 404]


async def test_a_token_sees_all_repositories_of_the_owner_and_what_is_public(
    client: httpx2.AsyncClient,
    server: GitHubTestServer,
    sign: Sign,
    installation: Installation,
    repository: Repository,
) -> None:
    minted = await _mint(client, sign, installation)
    assert (minted.status_code, minted.json()["repository_selection"]) == (201, "all")
    assert minted.json()["token"].startswith("ghs_")
    assert minted.json()["expires_at"] == "2027-01-15T09:00:00Z"
    token = {"Authorization": f"token {minted.json()['token']}"}
    server.add("octo/later", repository, private_to=["secret"])
    names = ["octo/demo", "octo/later", "elsewhere/public", "elsewhere/private"]
    statuses = [(await client.get(f"/repos/{name}", headers=token)).status_code for name in names]
    assert statuses == [200, 200, 200, 404]
    listed = (await client.get("/installation/repositories", headers=token)).json()
    assert listed["total_count"] == 3
    assert [each["full_name"] for each in listed["repositories"]] == [
        "octo/demo",
        "octo/other",
        "octo/later",
    ]


async def test_a_token_sees_selected_repositories_alone(
    client: httpx2.AsyncClient, server: GitHubTestServer, sign: Sign
) -> None:
    installation = server.hosting.install(APP, "octo", ["octo/demo"])
    token = await _token(client, sign, installation)
    assert (await client.get(f"{DEMO}/commits/main", headers=token)).status_code == 200
    assert (await client.get("/repos/octo/other", headers=token)).status_code == 404
    assert (await client.get("/repos/octo/other/installation", headers=sign())).status_code == 404
    listed = (await client.get("/installation/repositories", headers=token)).json()
    assert (listed["total_count"], listed["repository_selection"]) == (1, "selected")


async def test_a_token_can_be_made_for_some_repositories(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation
) -> None:
    minted = await _mint(client, sign, installation, repositories=["demo"])
    token = {"Authorization": f"Bearer {minted.json()['token']}"}
    assert [each["full_name"] for each in minted.json()["repositories"]] == ["octo/demo"]
    assert (await client.get(DEMO, headers=token)).status_code == 200
    assert (await client.get("/repos/octo/other", headers=token)).status_code == 404
    assert (await _mint(client, sign, installation, repositories=["none"])).status_code == 422


async def test_a_token_works_in_graphql_and_git(
    client: httpx2.AsyncClient, server: GitHubTestServer, sign: Sign, installation: Installation
) -> None:
    token = await _token(client, sign, installation)
    query = {"query": '{ repository(owner: "octo", name: "demo") { isPrivate } viewer { login } }'}
    answer = await client.post("/graphql", json=query, headers=token)
    assert answer.json()["data"] == {
        "repository": {"isPrivate": True},
        "viewer": {"login": "mirror[bot]"},
    }
    refs = f"{server.origin}/octo/demo.git/info/refs?service=git-upload-pack"
    basic = ("x-access-token", token["Authorization"].removeprefix("Bearer "))
    assert (await client.get(refs, auth=basic)).status_code == 200


async def test_a_token_is_401_once_its_hour_is_over(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation, clock: SetClock
) -> None:
    token = await _token(client, sign, installation)
    clock.now += 3599
    assert (await client.get(DEMO, headers=token)).status_code == 200
    clock.now += 1
    answer = await client.get(DEMO, headers=token)
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


async def test_tokens_can_live_shorter_and_end_at_once(
    client: httpx2.AsyncClient,
    server: GitHubTestServer,
    sign: Sign,
    installation: Installation,
    clock: SetClock,
) -> None:
    installation.token_seconds = 5
    token = await _token(client, sign, installation)
    clock.now += 5
    assert (await client.get(DEMO, headers=token)).status_code == 401
    token = await _token(client, sign, installation)
    server.hosting.expire_tokens(installation)
    assert (await client.get(DEMO, headers=token)).status_code == 401
    assert (
        await client.get(DEMO, headers=await _token(client, sign, installation))
    ).status_code == 200


async def test_a_suspended_installation_may_do_nothing(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation
) -> None:
    token = await _token(client, sign, installation)
    installation.suspended = True
    answers = [await client.get(DEMO, headers=token), await _mint(client, sign, installation)]
    found = [(answer.status_code, answer.json()["message"]) for answer in answers]
    assert found == [(403, "This installation has been suspended")] * 2
    installation.suspended = False
    assert (await client.get(DEMO, headers=token)).status_code == 200


async def test_a_removed_installation_is_gone_with_its_tokens(
    client: httpx2.AsyncClient, server: GitHubTestServer, sign: Sign, installation: Installation
) -> None:
    token = await _token(client, sign, installation)
    server.hosting.uninstall(installation)
    assert (await client.get(DEMO, headers=token)).status_code == 401
    assert (await _mint(client, sign, installation)).status_code == 404
    assert (await client.get(f"{DEMO}/installation", headers=sign())).status_code == 404


async def test_all_tokens_of_an_installation_share_one_allowance(
    client: httpx2.AsyncClient, server: GitHubTestServer, sign: Sign, installation: Installation
) -> None:
    first, second = [await _token(client, sign, installation) for _ in range(2)]
    bare = second["Authorization"].removeprefix("Bearer ")
    await client.get(DEMO, headers=first)
    assert server.limits.of(bare).used == 1
    server.limits.set(bare, remaining=1)
    assert (await client.get(DEMO, headers=first)).headers["x-ratelimit-remaining"] == "0"
    assert (await client.get(DEMO, headers=second)).status_code == 403
    accounts = {record.account for record in server.requests.select(f"{DEMO}$")}
    assert len(accounts) == 1


async def test_no_token_stays_in_a_representation(
    client: httpx2.AsyncClient, server: GitHubTestServer, sign: Sign, installation: Installation
) -> None:
    token = await _token(client, sign, installation)
    caller = server.hosting.identify(token["Authorization"], "")
    assert "ghs_" not in repr((caller, caller.installation_token, list(server.requests)))


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/app", models.Integration),
        ("/app/installations", list[models.Installation]),
        (f"{DEMO}/installation", models.Installation),
    ],
)
async def test_a_typed_model_accepts_the_answer(
    client: httpx2.AsyncClient,
    sign: Sign,
    installation: Installation,
    path: str,
    model: type[BaseModel],
) -> None:
    installation.suspended = True
    answer = await client.get(path, headers=sign())
    assert TypeAdapter[Any](model).validate_python(answer.json())


async def test_a_typed_model_accepts_tokens_and_their_repositories(
    client: httpx2.AsyncClient, sign: Sign, installation: Installation
) -> None:
    minted = await _mint(client, sign, installation, repositories=["demo"])
    assert models.InstallationToken.model_validate(minted.json()).permissions
    token = {"Authorization": f"Bearer {minted.json()['token']}"}
    listed = await client.get("/installation/repositories", headers=token)
    assert (
        models.InstallationRepositoriesGetResponse200.model_validate(listed.json()).total_count == 1
    )
