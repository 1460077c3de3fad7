"""Webhooks: payloads of real pushes, and headers which prove whose they are."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from githubkit_schemas.latest import models
from pydantic import TypeAdapter

from github_test_server import GitHubTestServer, HostedRepository, Repository, webhooks

Git = Callable[..., str]


@pytest.fixture
def hosted(server: GitHubTestServer) -> HostedRepository:
    return server.hosting["octo/demo"]


def _parse(model: Any, payload: dict[str, object]) -> Any:
    return TypeAdapter(model).validate_python(json.loads(webhooks.encode(payload)))


def test_a_push_has_its_commits_and_what_they_changed(
    hosted: HostedRepository, repository: Repository, git: Git
) -> None:
    before = git("rev-parse", "HEAD")
    first = repository.commit({"config/a.yaml": b"a: 2\n", "new": b"1"}, message="Second")
    after = repository.commit(
        {"README.md": None, "job/run me.yaml": None, "job/run.yaml": b"kind: Job\n"}
    )
    payload: Any = webhooks.push(hosted, before=before, after=after)
    assert (payload["ref"], payload["before"], payload["after"]) == (
        "refs/heads/main",
        before,
        after,
    )
    assert (payload["created"], payload["deleted"], payload["forced"]) == (False, False, False)
    assert (
        payload["compare"] == f"https://github.com/octo/demo/compare/{before[:12]}...{after[:12]}"
    )
    assert [commit["id"] for commit in payload["commits"]] == [first, after]
    assert payload["head_commit"] == payload["commits"][1]
    changes = [
        {kind: commit[kind] for kind in ["added", "removed", "modified"]}
        for commit in payload["commits"]
    ]
    assert changes == [
        {"added": ["new"], "removed": [], "modified": ["config/a.yaml"]},
        {"added": ["job/run.yaml"], "removed": ["README.md", "job/run me.yaml"], "modified": []},
    ]
    assert payload["commits"][0]["tree_id"] == git("rev-parse", f"{first}^{{tree}}")


def test_a_pushs_repository_has_a_shape_of_its_own(hosted: HostedRepository, git: Git) -> None:
    payload: Any = webhooks.push(hosted, before=webhooks.NO_COMMIT, after=git("rev-parse", "HEAD"))
    shown = payload["repository"]
    assert (shown["id"], shown["full_name"], shown["default_branch"]) == (
        hosted.id,
        "octo/demo",
        "main",
    )
    assert shown["url"] == shown["html_url"] == "https://github.com/octo/demo"
    assert shown["commits_url"] == "https://api.github.com/repos/octo/demo/commits{/sha}"
    assert (shown["master_branch"], shown["private"], shown["owner"]["login"]) == (
        "main",
        False,
        "octo",
    )
    assert {type(shown["created_at"]), type(shown["pushed_at"])} == {int}


def test_a_push_may_name_the_test_server(
    server: GitHubTestServer, hosted: HostedRepository, git: Git
) -> None:
    payload: Any = webhooks.push(
        hosted, before=webhooks.NO_COMMIT, after=git("rev-parse", "HEAD"), urls=server.urls
    )
    assert payload["repository"]["url"] == f"{server.origin}/octo/demo"
    assert payload["repository"]["trees_url"] == f"{server.url}/repos/octo/demo/git/trees{{/sha}}"


def test_a_force_push_is_found_out(
    hosted: HostedRepository, repository: Repository, git: Git
) -> None:
    base = git("rev-parse", "HEAD")
    before = repository.commit({"x": b"1"})
    after = repository.commit({"x": b"2"}, parent=base)
    payload: Any = webhooks.push(hosted, before=before, after=after)
    assert (payload["forced"], [commit["id"] for commit in payload["commits"]]) == (True, [after])


def test_a_new_branch_has_the_commits_that_no_other_has(
    hosted: HostedRepository, repository: Repository
) -> None:
    sha = repository.commit({"x": b"1"}, branch="feature/x", parent=repository.branches()[0][1])
    ref = "refs/heads/feature/x"
    payload: Any = webhooks.push(hosted, before=webhooks.NO_COMMIT, after=sha, ref=ref)
    assert (payload["created"], payload["ref"]) == (True, ref)
    assert [commit["id"] for commit in payload["commits"]] == [sha]


def test_a_deleted_branch_has_no_head(hosted: HostedRepository, git: Git) -> None:
    payload: Any = webhooks.push(hosted, before=git("rev-parse", "HEAD"), after=webhooks.NO_COMMIT)
    assert (payload["deleted"], payload["head_commit"], payload["commits"]) == (True, None, [])
    assert payload["after"] == "0" * 40


def test_a_large_push_has_only_the_newest_commits(
    hosted: HostedRepository, repository: Repository, git: Git
) -> None:
    before = git("rev-parse", "HEAD")
    shas = [repository.commit({"x": b"%d" % number}) for number in range(22)]
    payload: Any = webhooks.push(hosted, before=before, after=shas[-1])
    all_of_them: Any = webhooks.push(hosted, before=before, after=shas[-1], most_commits=2048)
    assert [commit["id"] for commit in payload["commits"]] == shas[2:]
    assert len(all_of_them["commits"]) == 22


def test_a_commit_which_is_not_there_cannot_be_pushed(hosted: HostedRepository) -> None:
    with pytest.raises(ValueError, match="holds no commit"):
        webhooks.push(hosted, before=webhooks.NO_COMMIT, after="1" * 40)


@pytest.mark.parametrize("organization", [None, "octo"])
def test_typed_models_accept_the_payloads(
    hosted: HostedRepository, git: Git, organization: str | None
) -> None:
    head = git("rev-parse", "HEAD")
    pushes = [
        webhooks.push(hosted, before=before, after=after, organization=organization)
        for before, after in [(webhooks.NO_COMMIT, head), (head, webhooks.NO_COMMIT), (head, head)]
    ]
    refs = [_parse(models.WebhookPush, push).ref for push in pushes]
    assert refs == ["refs/heads/main"] * 3
    assert _parse(models.WebhookPing, webhooks.ping(hosted, organization=organization)).hook_id
    assert _parse(models.WebhookPing, webhooks.ping(organization="octo")).hook.active


def test_other_events_have_their_repository(hosted: HostedRepository) -> None:
    payload: Any = webhooks.issues(hosted, action="closed", number=7)
    assert (payload["action"], payload["issue"]["number"]) == ("closed", 7)
    assert payload["repository"]["url"] == "https://api.github.com/repos/octo/demo"


def test_the_signature_is_over_the_body(hosted: HostedRepository) -> None:
    body = webhooks.encode(webhooks.ping(hosted))
    headers = webhooks.headers("ping", body, secret="s3cret")
    expected = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert (headers["X-GitHub-Event"], headers["Content-Type"]) == ("ping", "application/json")
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert headers["X-GitHub-Hook-ID"] == str(json.loads(body)["hook_id"])


def test_the_signature_of_github_s_own_example() -> None:
    """From docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries."""
    headers = webhooks.headers("push", b"Hello, World!", secret="It's a Secret to Everybody")
    assert (
        headers["X-Hub-Signature-256"]
        == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def test_a_form_holds_the_same_and_is_signed_as_it_is_sent(hosted: HostedRepository) -> None:
    payload = webhooks.ping(hosted, content_type="form")
    body = webhooks.encode(payload, content_type="form")
    headers = webhooks.headers("ping", body, secret="s3cret", content_type="form")
    assert json.loads(parse_qs(body.decode())["payload"][0]) == json.loads(webhooks.encode(payload))
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["X-Hub-Signature-256"].endswith(
        hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    )


def test_without_a_secret_there_is_no_signature() -> None:
    first, second = [webhooks.headers("push", b"{}") for _ in range(2)]
    assert not [name for name in first if "Signature" in name]
    assert first["X-GitHub-Delivery"] != second["X-GitHub-Delivery"]
    assert webhooks.headers("push", b"{}", delivery="same")["X-GitHub-Delivery"] == "same"
