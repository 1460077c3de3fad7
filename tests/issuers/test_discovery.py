"""What an issuer says of itself, and its keys: read rarely, changed keys soon, outages bridged."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from joserfc.jwk import OctKey

from benchmark_manager.errors import IssuerError
from benchmark_manager.issuers.discovery import IssuerDirectory
from benchmark_manager.issuers.fetching import IssuerClient
from support.bad_issuer import (
    DISCOVERY,
    JWKS,
    BadIssuer,
    IssuerClock,
    IssuerReply,
    Json,
    ec_key,
    ed_key,
    public,
    rsa_key,
)

#: Keys that are refused, made where they are needed: an RSA key takes a tenth of a second.
REFUSED: dict[str, Callable[[], Any]] = {
    "for encryption": lambda: public(rsa_key(), use="enc"),
    "a small RSA key": lambda: public(rsa_key("small", 1024)),
    "a private key": lambda: rsa_key().as_dict(private=True),
    "a shared secret": lambda: OctKey.generate_key(256).as_dict(private=True),
    "an unknown kind": lambda: {"kty": "PQC", "kid": "one"},
    "half a key": lambda: {"kty": "RSA", "kid": "one", "n": "AQAB"},
    "numbers": lambda: {"kty": "RSA", "kid": "one", "n": 1, "e": 2},
    "a number as its name": lambda: public(rsa_key(), kid=5),
    "a list as its use": lambda: public(rsa_key(), use=["sig"]),
    "an object as its kind": lambda: public(rsa_key(), kty={}),
    "a list": lambda: [1],
    "nothing": lambda: None,
}


async def failure(directory: IssuerDirectory, url: str) -> IssuerError:
    with pytest.raises(IssuerError) as caught:
        await directory.keys(url, "one")
    return caught.value


async def key_ids(directory: IssuerDirectory, issuer: BadIssuer, wanted: str) -> set[str | None]:
    return {key.kid for key in await directory.keys(issuer.url, wanted)}


async def test_endpoints_and_keys_are_read_once(
    directory: IssuerDirectory, issuer: BadIssuer
) -> None:
    found = await directory.issuer(issuer.url)
    assert found.token_endpoint == f"{issuer.url}/token"
    assert await key_ids(directory, issuer, "one") == {"one"}
    assert (issuer.count(DISCOVERY), issuer.count(JWKS)) == (1, 1)


async def test_many_at_once_read_once(directory: IssuerDirectory, issuer: BadIssuer) -> None:
    await asyncio.gather(*(directory.keys(issuer.url, "one") for _ in range(10)))
    assert issuer.count(JWKS) == 1


async def test_keys_of_all_kinds_are_kept(directory: IssuerDirectory, issuer: BadIssuer) -> None:
    issuer.keys = [public(key) for key in (rsa_key(), ec_key(), ed_key())]
    assert await key_ids(directory, issuer, "ec") == {"one", "ec", "ed"}


@pytest.mark.parametrize("make_key", REFUSED.values(), ids=REFUSED.keys())
async def test_an_issuer_with_no_key_for_signatures_is_refused(
    directory: IssuerDirectory, issuer: BadIssuer, make_key: Callable[[], Any]
) -> None:
    issuer.keys = [make_key()]
    assert (await failure(directory, issuer.url)).reason == "no_keys"


@pytest.mark.parametrize("make_key", REFUSED.values(), ids=REFUSED.keys())
async def test_other_keys_are_left_out(
    directory: IssuerDirectory, issuer: BadIssuer, make_key: Callable[[], Any]
) -> None:
    issuer.keys = [make_key(), public(ec_key())]
    assert await key_ids(directory, issuer, "ec") == {"ec"}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"issuer": "https://login.example.com"}, "other_issuer"),
        ({"issuer": None}, "other_issuer"),
        ({"jwks_uri": None}, "no_keys"),
        ({"jwks_uri": 5}, "no_keys"),
        ({"jwks_uri": "http://login.example.com/keys"}, "not_https"),
        ({"jwks_uri": "http://[::1"}, "not_https"),
        ({"jwks_uri": "file:///etc/passwd"}, "not_https"),
        ({"authorization_endpoint": "http://login.example.com/"}, "not_https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "not_https"),
        ({"token_endpoint": "http://login.example.com/"}, "not_https"),
        ({"userinfo_endpoint": "http://login.example.com/"}, "not_https"),
    ],
    ids=str,
)
async def test_a_wrong_document_is_refused(
    directory: IssuerDirectory, issuer: BadIssuer, document: Json, reason: str
) -> None:
    issuer.document = document
    assert (await failure(directory, issuer.url)).reason == reason


async def test_an_issuer_must_be_written_as_it_writes_itself(
    directory: IssuerDirectory, issuer: BadIssuer
) -> None:
    assert (await failure(directory, f"{issuer.url}/")).reason == "other_issuer"


async def test_an_issuer_elsewhere_cannot_lead_to_services_of_this_machine(
    clock: IssuerClock,
) -> None:
    url = "https://login.example.com"
    document = {"issuer": url, "jwks_uri": "http://127.0.0.1:27017/keys"}
    stream = httpx.ByteStream(json.dumps(document).encode())
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=stream))
    directory = IssuerDirectory(IssuerClient(transport), clock=clock)
    assert (await failure(directory, url)).reason == "not_https"


async def test_keys_behind_a_redirect_are_refused(
    directory: IssuerDirectory, issuer: BadIssuer
) -> None:
    issuer.replies[JWKS] = IssuerReply(307, headers={"Location": f"{issuer.url}/other"})
    assert (await failure(directory, issuer.url)).reason == "status"


async def test_a_new_key_is_found_within_half_a_minute(
    directory: IssuerDirectory, issuer: BadIssuer, clock: IssuerClock
) -> None:
    await directory.keys(issuer.url, "one")
    issuer.keys = [public(rsa_key("two"))]
    clock.pass_by(30)
    assert await key_ids(directory, issuer, "two") == {"two"}


async def test_names_of_keys_that_nobody_has_do_not_make_us_ask_all_the_time(
    directory: IssuerDirectory, issuer: BadIssuer, clock: IssuerClock
) -> None:
    for _ in range(10):
        await directory.keys(issuer.url, "unknown")
        clock.pass_by(2)
    assert issuer.count(JWKS) == 1


async def test_a_key_that_was_taken_back_is_refused_after_ten_minutes(
    directory: IssuerDirectory, issuer: BadIssuer, clock: IssuerClock
) -> None:
    issuer.keys = [public(rsa_key()), public(rsa_key("two"))]
    await directory.keys(issuer.url, "one")
    issuer.keys = [public(rsa_key("two"))]
    clock.pass_by(600)
    assert await key_ids(directory, issuer, "one") == {"two"}


@pytest.mark.parametrize("seconds", [600, 3_599])
async def test_an_outage_of_less_than_an_hour_is_bridged(
    directory: IssuerDirectory, issuer: BadIssuer, clock: IssuerClock, seconds: int
) -> None:
    await directory.keys(issuer.url, "one")
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    clock.pass_by(seconds)
    assert await key_ids(directory, issuer, "one") == {"one"}


async def test_keys_end_with_an_outage_of_an_hour(
    directory: IssuerDirectory, issuer: BadIssuer, clock: IssuerClock
) -> None:
    await directory.keys(issuer.url, "one")
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    clock.pass_by(3_600)
    assert (await failure(directory, issuer.url)).reason == "status"


async def test_while_an_issuer_is_away_few_requests_wait_for_it(
    directory: IssuerDirectory, issuer: BadIssuer
) -> None:
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    results = await asyncio.gather(
        *(directory.keys(issuer.url, "one") for _ in range(10)), return_exceptions=True
    )
    assert [type(each) for each in results] == [IssuerError] * 10
    assert issuer.count(DISCOVERY) == 1


async def test_an_issuer_that_is_back_is_read_after_some_seconds(
    directory: IssuerDirectory, issuer: BadIssuer, clock: IssuerClock
) -> None:
    issuer.replies[DISCOVERY] = IssuerReply.of({}, 503)
    await failure(directory, issuer.url)
    issuer.replies.clear()
    clock.pass_by(5)
    assert await key_ids(directory, issuer, "one") == {"one"}
