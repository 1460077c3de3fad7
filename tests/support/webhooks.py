"""Deliveries of webhooks, as GitHub makes them."""

import json
import secrets
import uuid
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx

from benchmark_manager.domain.webhooks.signature import sign
from support.service import Json, Service

SECRET = "webhook-secret-of-the-tests"
PATH = "/webhooks/github"
FORM = "application/x-www-form-urlencoded"
NO_COMMIT = "0" * 40


def a_sha() -> str:
    return secrets.token_hex(20)


def commit(sha: str, **paths: list[str]) -> Json:
    """A commit as a push lists it: `added`, `modified` and `removed`, empty where not given."""
    return {"id": sha, "message": "change", "added": [], "modified": [], "removed": [], **paths}


def push(
    full_name: str,
    api_url: str,
    *,
    branch: str = "main",
    before: str | None = None,
    after: str | None = None,
    **more: Any,
) -> Json:
    """A push's payload; without `commits` one commit which changes a file of the config folder."""
    after = after or a_sha()
    web = api_url.replace("://api.", "://").removesuffix("/api/v3")
    return {
        "ref": f"refs/heads/{branch}",
        "before": before or a_sha(),
        "after": after,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{web}/{full_name}/compare/x...y",
        "commits": [commit(after, modified=["config/a.yaml"])],
        "repository": {
            "id": 35129377,
            "name": full_name.partition("/")[2],
            "full_name": full_name,
            "html_url": f"{web}/{full_name}",
            "url": f"{web}/{full_name}",
            "clone_url": f"{web}/{full_name}.git",
            "hooks_url": f"{api_url}/repos/{full_name}/hooks",
            "trees_url": f"{api_url}/repos/{full_name}/git/trees{{/sha}}",
            "commits_url": f"{api_url}/repos/{full_name}/commits{{/sha}}",
            "default_branch": "main",
        },
        "sender": {"login": "octocat"},
        **more,
    }


def encoded(payload: object, *, form: bool = False) -> bytes:
    text = json.dumps(payload)
    return urlencode({"payload": text}).encode() if form else text.encode()


def headers(
    body: bytes, *, event: str = "push", delivery: str | None = None, secret: str = SECRET
) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Hook-ID": "292430182",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": sign(secret, body),
    }


async def deliver(
    service: Service, payload: object, *, event: str = "push", delivery: str | None = None
) -> httpx.Response:
    """A signed delivery of JSON."""
    body = encoded(payload)
    return await service.http.post(
        PATH, content=body, headers=headers(body, event=event, delivery=delivery)
    )
