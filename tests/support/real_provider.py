"""A real OpenID Connect provider, as a process: PyPI's oidc-provider-mock."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx

from benchmark_manager.stores.embedded.ports import free_port
from support.waiting import GENEROUS, eventually

Json = dict[str, Any]


@asynccontextmanager
async def real_provider(folder: Path, *people: Json) -> AsyncIterator[str]:
    """The address of a provider that knows these people, by their claims."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    claims = [part for person in people for part in ("--user-claims", json.dumps(person))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--require-nonce", "true", *claims],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=GENEROUS) as http:

            async def is_ready() -> bool:
                assert process.poll() is None, (folder / "provider.log").read_text()
                try:
                    return (await http.get("/.well-known/openid-configuration")).is_success
                except httpx.TransportError:
                    return False

            await eventually(is_ready, "the provider does not start")
        yield url
    finally:
        process.terminate()
        process.wait(60)


async def sign_in(address: str, subject: str, *, denies: bool = False) -> str:
    """Sign in at the page to which a browser was sent; where it is sent back to."""
    form = {"action": "deny"} if denies else {"sub": subject}
    async with httpx.AsyncClient(trust_env=False, timeout=GENEROUS) as browser:
        page = await browser.get(address)
        assert page.status_code == 200, page.text
        answer = await browser.post(address, data=form)
    assert answer.is_redirect, answer.text
    return answer.headers["location"]
