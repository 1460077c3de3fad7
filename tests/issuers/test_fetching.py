"""Requests to issuers: nothing in clear to other machines; no answer is too large or too slow."""

import gzip
import itertools

import pytest

from benchmark_manager.errors import IssuerError
from benchmark_manager.issuers.fetching import IssuerClient
from support.bad_issuer import BadIssuer, IssuerReply


async def failure(client: IssuerClient, url: str) -> IssuerError:
    with pytest.raises(IssuerError) as caught:
        await client.get(url)
    return caught.value


async def test_an_object_is_read(http: IssuerClient, issuer: BadIssuer) -> None:
    issuer.replies["/a"] = IssuerReply.of({"b": 1})
    assert await http.get(f"{issuer.url}/a") == {"b": 1}


async def test_rows_that_are_no_objects_are_left_out(http: IssuerClient, issuer: BadIssuer) -> None:
    issuer.replies["/a"] = IssuerReply.of([{"b": 1}, 2, None, [3]])
    assert await http.get_list(f"{issuer.url}/a") == [{"b": 1}]


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com/",
        "http://169.254.169.254/latest/meta-data",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://[::1",
        "//127.0.0.1/",
        "",
    ],
)
async def test_nothing_is_sent_in_clear_to_other_machines(http: IssuerClient, url: str) -> None:
    assert (await failure(http, url)).reason == "not_https"


async def test_redirects_are_not_followed(http: IssuerClient, issuer: BadIssuer) -> None:
    issuer.replies["/a"] = IssuerReply(302, headers={"Location": f"{issuer.url}/b"})
    error = await failure(http, f"{issuer.url}/a")
    assert (error.reason, error.facts["status"], issuer.count("/b")) == ("status", 302, 0)


async def test_an_endless_answer_is_given_up(http: IssuerClient, issuer: BadIssuer) -> None:
    issuer.replies["/a"] = IssuerReply(body=itertools.repeat(b"[" * 65_536))
    assert (await failure(http, f"{issuer.url}/a")).reason == "too_large"


async def test_an_answer_that_drips_is_given_up(issuer: BadIssuer) -> None:
    client = IssuerClient(seconds=0.2)
    issuer.replies["/a"] = IssuerReply(body=itertools.repeat(b" "), pause=0.02)
    error = await failure(client, f"{issuer.url}/a")
    await client.close()
    assert (error.reason, error.facts["what"]) == ("unreachable", "TimeoutError")


async def test_an_answer_is_not_unpacked(http: IssuerClient, issuer: BadIssuer) -> None:
    bomb = gzip.compress(b" " * 10_000_000 + b"{}")
    issuer.replies["/a"] = IssuerReply(body=[bomb], headers={"Content-Encoding": "gzip"})
    assert (await failure(http, f"{issuer.url}/a")).reason == "not_json"
    assert issuer.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 5_000],
    ids=["empty", "html", "list", "text", "null", "bytes", "deep", "long number"],
)
async def test_what_is_no_object_is_refused(
    http: IssuerClient, issuer: BadIssuer, body: bytes
) -> None:
    issuer.replies["/a"] = IssuerReply(body=[body])
    assert (await failure(http, f"{issuer.url}/a")).reason == "not_json"


async def test_an_issuer_that_is_away_is_named(http: IssuerClient) -> None:
    error = await failure(http, "http://127.0.0.1:1/keys")
    assert (error.reason, error.facts["url"]) == (
        "unreachable",
        "http://127.0.0.1:1/keys",
    )


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:70000/", "https://[::1]:99999/", "https://a..b/"]
)
async def test_an_address_that_no_machine_has_is_unreachable(http: IssuerClient, url: str) -> None:
    assert (await failure(http, url)).reason == "unreachable"


async def test_an_error_repeats_no_secret_of_an_address(
    http: IssuerClient, issuer: BadIssuer
) -> None:
    issuer.replies["/a"] = IssuerReply.of({}, 500)
    address = issuer.url.replace("://", "://name:secret@")
    assert "secret" not in str(await failure(http, f"{address}/a?token=secret#secret"))


async def test_no_cookie_is_kept(http: IssuerClient, issuer: BadIssuer) -> None:
    issuer.replies["/a"] = IssuerReply(body=[b"{}"], headers={"Set-Cookie": "who=kim"})
    await http.get(f"{issuer.url}/a")
    await http.get(f"{issuer.url}/a")
    assert "cookie" not in issuer.asked[1].headers
