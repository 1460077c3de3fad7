"""Passwords, tokens, sessions, codes and client secrets are in no log, answer, page or database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx
from pymongo import AsyncMongoClient

from support import webhooks
from support.process import ServiceProcess, service_process
from support.real_provider import real_provider
from support.real_provider import sign_in as sign_in_there
from support.waiting import GENEROUS

CLIENT_SECRET: Final = "client-secret-of-the-test-0000001"
WEBHOOK_SECRET: Final = "webhook-secret-of-the-test-0001"
GITHUB_TOKEN: Final = "ghp_ServiceWideTokenOfTheTest0000000001"
PASSWORD: Final = "seven quiet lamps glow"
NEXT_PASSWORD: Final = "nine loud kettles sing"
WRONG_PASSWORD: Final = "a wrong guess of somebody"
SIGNED: Final = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.c2lnbmF0dXJl"
WRONG_TOKEN: Final = f"bmt_{'0' * 24}{'A' * 49}"


@dataclass
class HeardAnswers:
    """What the service answered, except for the answers that show a new secret once."""

    http: httpx.AsyncClient
    answers: list[str] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, *, shows_secret: bool = False, **options: Any
    ) -> httpx.Response:
        answer = await self.http.request(method, path, **options)
        headers = [line for line in answer.headers.multi_items() if line[0] != "set-cookie"]
        if not shows_secret:
            self.answers.append(f"{answer.request.url} {headers} {answer.text}")
        return answer


async def test_no_credential_is_found_anywhere(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    async with (
        real_provider(tmp_path, {"sub": "mina", "name": "Mina"}) as issuer,
        service_process(
            folder,
            auth="required",
            mongo_url=database_url,
            oidc_issuer=issuer,
            oidc_client_id="bench",
            oidc_client_secret=CLIENT_SECRET,
            github_token=GITHUB_TOKEN,
            webhook_secret=WEBHOOK_SECRET,
            log_level="debug",
        ) as service,
        httpx.AsyncClient(
            base_url=service.url, headers={"Origin": service.url}, trust_env=False, timeout=GENEROUS
        ) as http,
    ):
        heard = HeardAnswers(http)
        secrets = {CLIENT_SECRET, GITHUB_TOKEN, PASSWORD, NEXT_PASSWORD, WRONG_PASSWORD}
        secrets |= {SIGNED, WRONG_TOKEN, WEBHOOK_SECRET}
        secrets |= await _of_local_accounts(heard, service)
        secrets |= await _of_the_provider(heard)
        await _everything_else(heard)
    stored = await _documents(database_url)
    assert len(secrets) >= 10
    assert len(heard.answers) > 20
    assert "sign_in" in service.output
    assert _found(secrets, {"answers": "\n".join(heard.answers)}) == []
    assert _found(secrets, {"log": service.output}) == []
    assert _found(secrets, stored) == []
    files = {str(path): path for path in folder.rglob("*") if path.is_file()}
    assert _found(secrets, {n: f.read_bytes().decode("latin-1") for n, f in files.items()}) == []


async def _of_local_accounts(heard: HeardAnswers, service: ServiceProcess) -> set[str]:
    """Set up, sign in rightly and wrongly, make tokens; return the secrets that came to be."""
    # The link is in the log on purpose, and good once.
    [link] = re.findall(r"/ui/set-up\?token=([\w-]{43})", service.output)
    body = {"token": link, "name": "ada", "password": PASSWORD}
    assert (await heard.ask("POST", "/setup", json=body)).status_code == httpx.codes.CREATED
    for password in (WRONG_PASSWORD, PASSWORD):
        await heard.ask("POST", "/sessions", json={"name": "ada", "password": password})
    session = heard.http.cookies["bm_session"]
    await heard.ask("POST", "/accounts", json={"name": "kim", "password": NEXT_PASSWORD})
    await heard.ask("POST", "/accounts", json={"name": "lee", "password": "short"})
    made = await heard.ask("POST", "/tokens", json={"name": "ci"}, shows_secret=True)
    token: str = made.json()["token"]
    for bearer in (token, SIGNED, WRONG_TOKEN):
        await heard.ask("GET", "/me", headers={"Authorization": f"Bearer {bearer}"})
    change = {"current_password": WRONG_PASSWORD, "new_password": NEXT_PASSWORD}
    await heard.ask("PUT", "/me/password", json=change)
    await heard.ask("PUT", "/me/password", json={**change, "current_password": PASSWORD})
    return {session, token}


async def _of_the_provider(heard: HeardAnswers) -> set[str]:
    """Sign in at the provider; return its code, the cookie of the way there, and the session."""
    heard.http.cookies.clear()
    sent = await heard.ask("GET", "/auth/oidc?next=/ui", shows_secret=True)
    attempt = heard.http.cookies["bm_sign_in"]
    back = await sign_in_there(sent.headers["location"], "mina")
    # What the browser is sent with is in no answer of the service.
    came = await heard.http.get(back)
    heard.answers.append(f"{came.headers['location']} {came.text}")
    query = parse_qs(urlsplit(back).query)
    return {query["code"][0], query["state"][0], attempt, heard.http.cookies["bm_session"]}


async def _everything_else(heard: HeardAnswers) -> None:
    await heard.ask("POST", "/sessions", json={"name": "ada", "password": NEXT_PASSWORD})
    body = webhooks.encoded({"zen": "Keep it logically awesome."})
    for secret in (WEBHOOK_SECRET, "another-secret-of-16"):
        signed = webhooks.headers(body, event="ping", secret=secret)
        await heard.ask("POST", webhooks.PATH, content=body, headers=signed)
    for path in (
        *("/me", "/sessions", "/accounts", "/groups", "/tokens?all=true", "/federation"),
        *("/audit", "/audit?format=jsonl", "/status", "/metrics", "/openapi.json"),
        *("/ui", "/ui/you", "/ui/people", "/ui/audit", "/ui/status", "/ui/sign-in"),
    ):
        await heard.ask("GET", path, headers={"Accept": "text/html"})


async def _documents(url: str) -> dict[str, str]:
    """Return everything that the database holds, by collection."""
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        database = client[urlsplit(url).path[1:]]
        names = await database.list_collection_names()
        return {name: str(await database[name].find().to_list()) for name in names}


def _found(secrets: Iterable[str], texts: dict[str, str]) -> list[tuple[str, str]]:
    """Return which secrets are where; only their beginnings, as this is an answer as well."""
    return [(name, s[:6]) for name, text in texts.items() for s in secrets if s in text]
