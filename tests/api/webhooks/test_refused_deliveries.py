"""Deliveries that are forged, malformed or of another media type: refused without any change.

A refusal comes before the database is asked, so that one of each kind shows it for both databases.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from benchmark_manager.domain.webhooks.signature import sign
from github_test_server import GitHubTestServer
from support.hooked import HookedService, assert_refused, documents, push_to
from support.problems import assert_problem
from support.service import Json, Service, running_service
from support.webhooks import FORM, PATH, SECRET, deliver, encoded, headers

# Signatures


@pytest.mark.parametrize("secret", ["", SECRET], ids=["empty", "a secret"])
async def test_without_a_secret_there_is_nothing_at_this_address(
    module_service: Service, secret: str
) -> None:
    body = encoded({})
    sent = headers(body, secret=secret)
    answer = await module_service.http.post(PATH, content=body, headers=sent)
    assert_problem(answer, 404, "route_not_found")


async def test_an_empty_secret_is_none(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url, github, tmp_path, webhook_secret=SecretStr("")
    ) as service:
        body = encoded({"zen": "x"})
        sent = headers(body, event="ping", secret="")
        answer = await service.http.post(PATH, content=body, headers=sent)
        assert_problem(answer, 404, "route_not_found")


def signed(body: bytes) -> str:
    return sign(SECRET, body)


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "sha256=", id="no digits"),
        pytest.param(lambda body: signed(body)[:-1], id="a digit less"),
        pytest.param(lambda body: f"{signed(body)}0", id="a digit more"),
        pytest.param(lambda body: signed(body).removeprefix("sha256="), id="without its kind"),
        pytest.param(lambda body: signed(body).replace("256", "1"), id="another kind"),
        pytest.param(lambda body: signed(body).upper(), id="capitals"),
        pytest.param(lambda body: f"sha256={signed(body)[7:].upper()}", id="capital digits"),
        pytest.param(lambda body: f"{signed(body)}, {signed(body)}", id="twice"),
        pytest.param(lambda body: sign("other", body), id="another secret"),
        pytest.param(lambda body: signed(body + b" "), id="another body"),
        pytest.param(lambda _: "sha256=" + "0" * 64, id="zeros"),
        pytest.param(lambda _: "sha256=ü".encode().decode("latin-1"), id="no ASCII"),
    ],
)
async def test_a_forged_delivery_changes_nothing(
    shared: HookedService, forge: Callable[[bytes], str]
) -> None:
    body = encoded(push_to(shared.project, shared.service))
    sent = headers(body) | {"X-Hub-Signature-256": forge(body)}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    await assert_refused(shared.service, body, raw, 401, "bad_signature")


@pytest.mark.parametrize("other_name", [None, "X-Hub-Signature"])
async def test_a_delivery_without_its_signature_changes_nothing(
    shared: HookedService, other_name: str | None
) -> None:
    body = encoded(push_to(shared.project, shared.service))
    sent = headers(body)
    right = sent.pop("X-Hub-Signature-256")
    if other_name is not None:
        sent[other_name] = right
    await assert_refused(shared.service, body, sent, 401, "bad_signature")


@pytest.mark.parametrize("kind", ["application/json", FORM, "text/plain"])
async def test_the_signature_is_checked_before_the_body_is_read(
    shared: HookedService, kind: str
) -> None:
    before = await documents(shared.service)
    sent = {**headers(b"other"), "Content-Type": kind}
    answers = [
        await shared.service.http.post(PATH, content=nonsense, headers=sent)
        for nonsense in (b"", b"{", b"\xff", b"payload=%")
    ]
    problems = [assert_problem(answer, 401, "bad_signature") for answer in answers]
    assert len(problems) == 4
    assert await documents(shared.service) == before


async def test_the_signature_is_of_the_bytes_and_not_of_what_they_mean(
    hooked: Service, project: Json
) -> None:
    payload = push_to(project, hooked)
    spaced = json.dumps(payload, indent=1).encode()
    answer = await hooked.http.post(PATH, content=spaced, headers=headers(encoded(payload)))
    assert_problem(answer, 401, "bad_signature")
    answer = await hooked.http.post(PATH, content=spaced, headers=headers(spaced))
    assert answer.json()["outcome"] == "queued"


def test_the_documented_signature_is_github_s_own_example() -> None:
    """See "Testing the webhook payload validation" there."""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign("It's a Secret to Everybody", b"Hello, World!") == expected


async def test_no_answer_and_no_log_holds_the_secret(
    hooked: Service, project: Json, caplog: pytest.LogCaptureFixture
) -> None:
    payload = push_to(project, hooked)
    answers = [await deliver(hooked, payload), await deliver(hooked, {}, event="ping")]
    body = encoded(payload)
    sent = headers(body, secret="other")
    answers.append(await hooked.http.post(PATH, content=body, headers=sent))
    shown = "".join(answer.text for answer in answers) + caplog.text
    assert SECRET not in shown
    assert sign(SECRET, body) not in shown


# Payloads


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"nonsense", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"7", id="a number"),
        pytest.param(b'"text"', id="a text"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b'{"ref": "\xff"}', id="no UTF-8 in a text"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param(b"[" * 200_000, id="200,000 lists"),
        pytest.param(b'{"a":' * 200_000, id="200,000 objects"),
        pytest.param(b"1" * 5000, id="5000 digits"),
    ],
)
async def test_a_body_that_is_no_object_is_a_400(shared: HookedService, body: bytes) -> None:
    await assert_refused(shared.service, body, headers(body), 400, "malformed_webhook")


@pytest.mark.parametrize(
    "wrong",
    [{"ref": None}, {"repository": {}}, {"after": "x"}],
    ids=["no ref", "an empty repository", "no id of a commit"],
)
async def test_a_push_with_a_wrong_member_is_a_400(shared: HookedService, wrong: Json) -> None:
    body = encoded({**push_to(shared.project, shared.service), **wrong})
    await assert_refused(shared.service, body, headers(body), 400, "malformed_webhook")


@pytest.mark.parametrize("gone", ["ref", "before", "after"])
async def test_a_push_without_a_member_is_a_400(shared: HookedService, gone: str) -> None:
    payload = push_to(shared.project, shared.service)
    del payload[gone]
    body = encoded(payload)
    await assert_refused(shared.service, body, headers(body), 400, "malformed_webhook")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"payload=", id="an empty payload"),
        pytest.param(b"payload=%7B", id="a cut payload"),
        pytest.param(b"other=1", id="another field"),
        pytest.param(b"payload=%ff", id="no UTF-8"),
        pytest.param(b"payload=%7B%7D&" * 2, id="two payloads"),
        pytest.param(b"a&" * 50, id="50 fields"),
    ],
)
async def test_a_form_without_one_payload_is_a_400(shared: HookedService, body: bytes) -> None:
    sent = {**headers(body), "Content-Type": FORM}
    await assert_refused(shared.service, body, sent, 400, "malformed_webhook")


async def test_json_that_is_sent_as_a_form_is_a_400(shared: HookedService) -> None:
    body = encoded(push_to(shared.project, shared.service))
    sent = {**headers(body), "Content-Type": FORM}
    await assert_refused(shared.service, body, sent, 400, "malformed_webhook")


# Headers


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
async def test_a_delivery_without_a_header_is_a_400(shared: HookedService, name: str) -> None:
    body = encoded(push_to(shared.project, shared.service))
    sent = headers(body)
    del sent[name]
    document = await assert_refused(shared.service, body, sent, 400, "malformed_webhook")
    assert name in document["detail"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-GitHub-Event", ""),
        ("X-GitHub-Event", "push ing"),
        ("X-GitHub-Delivery", ""),
        ("X-GitHub-Delivery", "x" * 101),
        ("X-GitHub-Delivery", "a b"),
    ],
    ids=["no event", "two events", "no id", "101 characters", "two ids"],
)
async def test_a_delivery_with_a_wrong_header_is_a_400(
    shared: HookedService, name: str, value: str
) -> None:
    body = encoded(push_to(shared.project, shared.service))
    sent = {**headers(body), name: value}
    document = await assert_refused(shared.service, body, sent, 400, "malformed_webhook")
    assert name in document["detail"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml"]
)
async def test_another_media_type_is_a_415_behind_the_signature(
    shared: HookedService, kind: str
) -> None:
    body = encoded(push_to(shared.project, shared.service))
    sent = {**headers(body), "Content-Type": kind}
    document = await assert_refused(shared.service, body, sent, 415, "unsupported_media_type")
    assert FORM in document["detail"]


async def test_the_route_is_described_with_its_headers_and_both_kinds_of_body(
    hooked: Service,
) -> None:
    operation = (await hooked.get("/openapi.json"))["paths"][PATH]["post"]
    described = {
        parameter["name"] for parameter in operation["parameters"] if parameter["required"]
    }
    assert described == {"X-Hub-Signature-256", "X-GitHub-Event", "X-GitHub-Delivery"}
    assert operation["requestBody"]["content"].keys() == {"application/json", FORM}
    assert operation["responses"].keys() >= {"200", "202", "400", "401", "404", "413", "415", "503"}
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert (await deliver(hooked, example)).json()["outcome"] == "ignored"
