"""Sign-in at an OpenID Connect provider that lies: each lie is found."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from benchmark_manager.errors import IssuerError, SignedTokenError
from benchmark_manager.issuers.discovery import IssuerDirectory
from benchmark_manager.issuers.fetching import IssuerClient
from benchmark_manager.issuers.sign_in import OidcClient, OidcSignIn
from benchmark_manager.models.access.sign_in import ProvedPerson, SignInAttempt
from support.bad_issuer import (
    CLIENT,
    CLIENT_SECRET,
    TOKEN,
    USERINFO,
    BadIssuer,
    IssuerClock,
    IssuerReply,
    Json,
    handmade,
    public,
    rsa_key,
)

BACK = "https://bench.example.com/auth/oidc/callback"
OTHER = "https://login.example.com"


@pytest.fixture
def attempt(clock: IssuerClock) -> SignInAttempt:
    return SignInAttempt(
        provider="oidc",
        state="the-state",
        nonce="the-nonce",
        verifier="v" * 43,
        next="/ui",
        began_at=clock(),
    )


@pytest.fixture
def client(issuer: BadIssuer) -> OidcClient:
    return OidcClient(
        issuer=issuer.url,
        client_id=CLIENT,
        client_secret=CLIENT_SECRET,
        scopes="openid profile groups",
        groups_claim="groups",
    )


@pytest.fixture
def provider(
    client: OidcClient, directory: IssuerDirectory, http: IssuerClient, clock: IssuerClock
) -> OidcSignIn:
    return OidcSignIn(client, directory, http, clock=clock)


async def signed_in(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> ProvedPerson:
    back = issuer.sign_in(await provider.address(attempt, BACK))
    return await provider.person(attempt, back, BACK)


async def refusal(provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt) -> str:
    with pytest.raises(SignedTokenError) as caught:
        await signed_in(provider, issuer, attempt)
    return caught.value.reason


async def test_the_browser_is_sent_with_all_that_binds_the_answer(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    address = urlsplit(await provider.address(attempt, BACK))
    digest = hashlib.sha256(attempt.verifier.encode()).digest()
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{issuer.url}/authorize"
    assert parse_qs(address.query) == {
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": [BACK],
        "scope": ["openid profile groups"],
        "state": ["the-state"],
        "nonce": ["the-nonce"],
        "code_challenge": [base64.urlsafe_b64encode(digest).decode().rstrip("=")],
        "code_challenge_method": ["S256"],
    }


@pytest.mark.parametrize(
    ("offered", "asked"),
    [
        (["openid", "profile"], "openid profile"),
        (["openid", "groups"], "openid profile groups"),
        (None, "openid profile groups"),
        ("openid", "openid profile groups"),
    ],
    ids=["without groups", "with groups", "silent", "no list"],
)
async def test_groups_are_not_asked_of_a_provider_without_them(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, offered: object, asked: str
) -> None:
    issuer.document = {"scopes_supported": offered}
    query = parse_qs(urlsplit(await provider.address(attempt, BACK)).query)
    assert query["scope"] == [asked]


async def test_an_endpoint_with_a_query_keeps_it(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.document = {"authorization_endpoint": f"{issuer.url}/authorize?tenant=1"}
    assert "/authorize?tenant=1&response_type=code" in await provider.address(attempt, BACK)


async def test_a_person_is_known_by_issuer_and_subject(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    assert await signed_in(provider, issuer, attempt) == ProvedPerson(
        kind="oidc", issuer=issuer.url, subject="kim", name="Kim Min", groups=("bench",)
    )


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": None}, "nonce"),
        ({"nonce": "other"}, "nonce"),
        ({"nonce": 5}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"azp": "other"}, "party"),
        ({"azp": ["bench"]}, "party"),
        ({"aud": [CLIENT, "other"]}, "party"),
        ({"aud": "other"}, "audience"),
        ({"iss": OTHER}, "issuer"),
        ({"exp": 1}, "expired"),
        ({"sub": None}, "subject"),
    ],
    ids=lambda value: str(value).encode("ascii", "backslashreplace").decode(),
)
async def test_a_lie_in_the_token_is_found(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, claims: Json, reason: str
) -> None:
    issuer.claims = claims
    assert await refusal(provider, issuer, attempt) == reason


async def test_a_token_for_many_is_accepted_where_it_names_us(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.claims = {"aud": [CLIENT, "other"], "azp": CLIENT}
    assert (await signed_in(provider, issuer, attempt)).subject == "kim"


@pytest.mark.parametrize(
    ("back", "reason"),
    [
        ({"state": None}, "state"),
        ({"state": "other"}, "state"),
        ({"state": "ü"}, "state"),
        ({"iss": OTHER}, "issuer"),
        ({"error": "access_denied"}, "refused"),
        ({"error": "access_denied", "state": None}, "refused"),
        ({"code": None}, "form"),
        ({"code": ""}, "form"),
    ],
    ids=str,
)
async def test_a_lie_in_what_the_browser_brings_back_is_found(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, back: Json, reason: str
) -> None:
    issuer.back = back
    assert await refusal(provider, issuer, attempt) == reason
    assert issuer.count(TOKEN) == 0


async def test_a_provider_that_names_itself_always_has_to(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.document = {"authorization_response_iss_parameter_supported": True}
    issuer.back = {"iss": None}
    assert await refusal(provider, issuer, attempt) == "issuer"


async def test_one_that_does_not_say_so_need_not_name_itself(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.back = {"iss": None}
    assert (await signed_in(provider, issuer, attempt)).subject == "kim"


@pytest.mark.parametrize("token", [5, None, {}, "text", ""], ids=str)
async def test_an_answer_without_a_token_is_refused(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, token: object
) -> None:
    issuer.replies[TOKEN] = IssuerReply.of({"id_token": token, "access_token": "opaque"})
    assert await refusal(provider, issuer, attempt) == "form"


async def test_a_token_without_a_signature_is_refused(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    claims = issuer.claims_for(CLIENT, nonce=attempt.nonce)
    issuer.id_token = handmade({"alg": "none"}, claims, None)
    assert await refusal(provider, issuer, attempt) == "algorithm"


async def test_keys_may_have_been_rotated(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, clock: IssuerClock
) -> None:
    await signed_in(provider, issuer, attempt)
    issuer.keys, issuer.key = [public(rsa_key("two"))], rsa_key("two")
    clock.pass_by(30)
    assert (await signed_in(provider, issuer, attempt)).subject == "kim"


async def test_a_stolen_code_is_useless_without_the_verifier(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    back = issuer.sign_in(await provider.address(attempt, BACK))
    thief = attempt.model_copy(update={"verifier": "w" * 43})
    with pytest.raises(IssuerError) as caught:
        await provider.person(thief, back, BACK)
    assert caught.value.facts["status"] == 400


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint"])
async def test_an_issuer_of_tokens_alone_is_none_to_sign_in_with(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, endpoint: str
) -> None:
    issuer.document = {endpoint: None}
    with pytest.raises(IssuerError) as caught:
        await signed_in(provider, issuer, attempt)
    assert caught.value.reason == "no_endpoint"


@pytest.mark.parametrize(
    ("methods", "by_header"),
    [
        (None, True),
        (["client_secret_basic"], True),
        (["client_secret_post"], False),
        ("client_secret_basic", True),
    ],
    ids=["silent", "header", "form", "no list"],
)
async def test_the_secret_is_sent_as_the_provider_wants_it(
    provider: OidcSignIn,
    issuer: BadIssuer,
    attempt: SignInAttempt,
    methods: object,
    by_header: bool,
) -> None:
    issuer.document = {"token_endpoint_auth_methods_supported": methods}
    await signed_in(provider, issuer, attempt)
    asked = next(each for each in issuer.asked if each.path == TOKEN)
    assert ("authorization" in asked.headers, "client_secret" in asked.form) == (
        by_header,
        not by_header,
    )


def without_secret(client: OidcClient) -> OidcClient:
    return OidcClient(client.issuer, client.client_id, None, client.scopes, client.groups_claim)


async def test_a_public_client_sends_no_secret(
    client: OidcClient,
    directory: IssuerDirectory,
    http: IssuerClient,
    clock: IssuerClock,
    issuer: BadIssuer,
    attempt: SignInAttempt,
) -> None:
    provider = OidcSignIn(without_secret(client), directory, http, clock=clock)
    await signed_in(provider, issuer, attempt)
    asked = next(each for each in issuer.asked if each.path == TOKEN)
    assert "authorization" not in asked.headers
    assert "client_secret" not in asked.form


def test_no_representation_shows_the_secret(client: OidcClient, attempt: SignInAttempt) -> None:
    shown = f"{client!r} {attempt!r}"
    assert [
        text for text in (CLIENT_SECRET, attempt.state, attempt.verifier) if text in shown
    ] == []


@pytest.mark.parametrize("userinfo", [{"sub": "other"}, {}, {"sub": 5}, {"sub": ["kim"]}], ids=str)
async def test_groups_of_somebody_else_are_refused(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, userinfo: Json
) -> None:
    issuer.userinfo = {"groups": ["admins"], **userinfo}
    assert await refusal(provider, issuer, attempt) == "subject"


async def test_a_token_with_groups_and_a_name_is_enough(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.claims = {"groups": ["own"]}
    assert (await signed_in(provider, issuer, attempt)).groups == ("own",)
    assert issuer.count(USERINFO) == 0


async def test_a_name_comes_from_userinfo_where_the_token_has_none(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.claims = {"groups": ["own"], "name": None}
    issuer.userinfo = {"sub": "kim", "name": "Kim Elsewhere", "groups": ["other"]}
    person = await signed_in(provider, issuer, attempt)
    assert (person.name, person.groups) == ("Kim Elsewhere", ("own",))


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "", "preferred_username": "kmin"}, "kmin"),
        ({"name": "  ", "email": "kim@example.com"}, "kim@example.com"),
        ({"name": 5}, "kim"),
        ({"name": ["Kim"], "preferred_username": {}}, "kim"),
        ({"name": None, "sub": " "}, " "),
    ],
    ids=str,
)
async def test_a_person_has_some_name(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, claims: Json, name: str
) -> None:
    issuer.claims = claims
    issuer.userinfo = {"sub": claims.get("sub", "kim")}
    assert (await signed_in(provider, issuer, attempt)).name == name


@pytest.mark.parametrize("token", ["ü", "\ud800", "a\r\nb", "a b", "", 5, ["a"]], ids=ascii)
async def test_a_token_that_no_header_can_carry_brings_no_groups(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt, token: object
) -> None:
    back = issuer.sign_in(await provider.address(attempt, BACK))
    id_token = issuer.token(CLIENT, nonce=attempt.nonce)
    issuer.replies[TOKEN] = IssuerReply.of({"id_token": id_token, "access_token": token})
    assert (await provider.person(attempt, back, BACK)).groups == ()
    assert issuer.count(USERINFO) == 0


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        ("admins", ()),
        ({"admins": True}, ()),
        (None, ()),
        ([5, None, ["admins"], "bench", "a\nb", "x" * 10_000, "\ud800", "a,b"], ("bench",)),
        ([str(number) for number in range(5_000)], None),
    ],
    ids=["text", "object", "none", "odd", "many"],
)
async def test_groups_are_names_in_a_list(
    provider: OidcSignIn,
    issuer: BadIssuer,
    attempt: SignInAttempt,
    groups: Any,
    found: tuple[str, ...] | None,
) -> None:
    issuer.userinfo = {"sub": "kim", "groups": groups}
    person = await signed_in(provider, issuer, attempt)
    if found is None:
        assert 0 < len(person.groups) < 5_000
    else:
        assert person.groups == found


async def test_groups_that_cannot_be_read_end_the_sign_in(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.replies[USERINFO] = IssuerReply.of({}, 503)
    with pytest.raises(IssuerError):
        await signed_in(provider, issuer, attempt)


async def test_a_provider_without_userinfo_gives_no_groups(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.document = {"userinfo_endpoint": None}
    assert (await signed_in(provider, issuer, attempt)).groups == ()


async def test_an_error_has_no_code_and_no_token(
    provider: OidcSignIn, issuer: BadIssuer, attempt: SignInAttempt
) -> None:
    issuer.replies[TOKEN] = IssuerReply.of({"error": "invalid_grant"}, 400)
    back: Mapping[str, str] = issuer.sign_in(await provider.address(attempt, BACK))
    with pytest.raises(IssuerError) as caught:
        await provider.person(attempt, back, BACK)
    assert back["code"] not in str(caught.value)
