"""Signed tokens: accepted only with a signature of the issuer's keys, for us, and now."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.errors import SignedTokenError
from benchmark_manager.issuers.discovery import IssuerDirectory
from benchmark_manager.issuers.signed_tokens import (
    LEEWAY,
    Claims,
    audiences_of,
    checked_claims,
    unproved_issuer,
)
from support.bad_issuer import (
    JWKS,
    LASTING,
    NOW,
    BadIssuer,
    IssuerClock,
    Json,
    Key,
    ec_key,
    ed_key,
    handmade,
    public,
    rsa_key,
    signed,
)

AUDIENCE = "bench"
OTHER = "https://login.example.com"

Check = Callable[[str], Any]


@pytest.fixture
def check(directory: IssuerDirectory, issuer: BadIssuer, clock: IssuerClock) -> Check:
    async def run(token: str) -> Claims:
        return await checked_claims(
            directory, token, issuer=issuer.url, audiences={AUDIENCE, "other"}, now=clock()
        )

    return run


@pytest.fixture
def refusal(check: Check) -> Check:
    async def run(token: str) -> str:
        with pytest.raises(SignedTokenError) as caught:
            await check(token)
        return caught.value.reason

    return run


@pytest.mark.parametrize(
    ("alg", "make_key"),
    [
        *(("RS256", rsa_key), ("RS384", rsa_key), ("RS512", rsa_key), ("PS256", rsa_key)),
        *(("ES256", ec_key), ("ES384", partial(ec_key, "big", "P-384"))),
        *(("EdDSA", ed_key), ("Ed25519", ed_key)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_good_token_is_accepted(
    check: Check, issuer: BadIssuer, alg: str, make_key: Callable[[], Key]
) -> None:
    key = make_key()
    issuer.keys, issuer.key, issuer.alg = [public(key)], key, alg
    assert (await check(issuer.token()))["sub"] == "kim"


def _named(value: Json | str) -> str:
    """Name a case by its claims alone: their values depend on the time of its collection."""
    return value if isinstance(value, str) else " ".join(value)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": OTHER}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": [OTHER]}, "issuer"),
        ({"aud": None}, "audience"),
        ({"aud": "somebody-else"}, "audience"),
        ({"aud": ["somebody-else", 5, None, ["bench"]]}, "audience"),
        ({"aud": {"bench": True}}, "audience"),
        ({"aud": "BENCH"}, "audience"),
        ({"exp": None}, "expired"),
        ({"exp": NOW - LEEWAY}, "expired"),
        ({"exp": "4000000000"}, "expired"),
        ({"exp": True}, "expired"),
        ({"exp": float("nan")}, "expired"),
        ({"exp": float("inf")}, "expired"),
        ({"exp": 10**400}, "expired"),
        ({"nbf": NOW + LEEWAY + 1}, "too_early"),
        ({"nbf": "now"}, "too_early"),
        ({"nbf": float("-inf")}, "too_early"),
        ({"iat": NOW + LEEWAY + 1}, "too_early"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 77}, "subject"),
        ({"sub": "k" * 256}, "subject"),
        ({"sub": "\ud800"}, "subject"),
        ({"sub": "kim\n"}, "subject"),
        ({"sub": "kim\0"}, "subject"),
    ],
    ids=_named,
)
async def test_a_token_with_a_wrong_claim_is_refused(
    refusal: Check, issuer: BadIssuer, claims: Json, reason: str
) -> None:
    assert await refusal(issuer.token(**claims)) == reason


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", "somebody-else"]},
        {"exp": NOW - LEEWAY + 1},
        {"exp": NOW + 0.5},
        {"nbf": NOW + LEEWAY},
        {"iat": None},
        {"sub": "repo:acme/bench:ref:refs/heads/기능 하나"},
    ],
    ids=["one of many audiences", "clock behind", "fraction", "clock ahead", "no iat", "Korean"],
)
async def test_a_token_with_an_unusual_claim_is_accepted(
    check: Check, issuer: BadIssuer, claims: Json
) -> None:
    assert await check(issuer.token(**claims))


async def test_a_token_ends_with_its_time(
    refusal: Check, issuer: BadIssuer, clock: IssuerClock
) -> None:
    token = issuer.token()
    clock.pass_by(LASTING + LEEWAY)
    assert await refusal(token) == "expired"


async def test_a_token_without_a_signature_is_refused(refusal: Check, issuer: BadIssuer) -> None:
    claims = issuer.claims_for(AUDIENCE)
    assert await refusal(handmade({"alg": "none", "kid": "one"}, claims, None)) == "algorithm"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_a_token_with_the_public_key_as_its_secret_is_refused(
    refusal: Check, issuer: BadIssuer, alg: str
) -> None:
    claims = issuer.claims_for(AUDIENCE)
    public_pem = rsa_key().as_pem(private=False)
    assert await refusal(handmade({"alg": alg, "kid": "one"}, claims, public_pem)) == "algorithm"


@pytest.mark.parametrize("alg", ["rs256", "NONE", "", None, 5, ["RS256"], {"RS256": 1}])
async def test_other_algorithms_are_refused(refusal: Check, issuer: BadIssuer, alg: object) -> None:
    claims = issuer.claims_for(AUDIENCE)
    assert await refusal(handmade({"alg": alg, "kid": "one"}, claims, b"x")) == "algorithm"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"kid": "one", "crit": ["exp"], "exp": 1},
        {"kid": "one", "crit": ["b64"], "b64": False},
        {"kid": "ec"},
    ],
    ids=["unknown key", "critical", "b64", "key of another kind"],
)
async def test_a_token_with_an_odd_header_is_refused(
    refusal: Check, issuer: BadIssuer, header: Json
) -> None:
    issuer.keys.append(public(ec_key()))
    claims = issuer.claims_for(AUDIENCE)
    assert await refusal(handmade({"alg": "RS256", **header}, claims, b"x")) == "signature"


async def test_a_token_that_brings_its_own_key_is_refused(
    refusal: Check, issuer: BadIssuer
) -> None:
    thief = rsa_key("thief")
    token = signed(issuer.claims_for(AUDIENCE), thief, kid="one", jwk=thief.as_dict(private=False))
    assert await refusal(token) == "signature"


async def test_a_token_that_names_an_address_of_keys_makes_us_ask_nobody(
    refusal: Check, issuer: BadIssuer
) -> None:
    token = signed(
        issuer.claims_for(AUDIENCE), rsa_key("thief"), kid="one", jku=f"{issuer.url}/thief"
    )
    assert await refusal(token) == "signature"
    assert issuer.count("/thief") == 0


@pytest.mark.parametrize(
    ("bits", "changes"),
    [pytest.param(2048, {"use": "enc"}, id="for encryption"), pytest.param(1024, {}, id="small")],
)
async def test_a_signature_of_a_key_that_does_not_count_is_refused(
    refusal: Check, issuer: BadIssuer, bits: int, changes: Json
) -> None:
    issuer.keys = [public(rsa_key("one", bits), **changes), public(ec_key())]
    assert await refusal(issuer.token()) == "signature"


async def test_a_changed_token_is_refused(refusal: Check, issuer: BadIssuer) -> None:
    head, _, signature = issuer.token().split(".")
    _, claims, _ = issuer.token(sub="admin").split(".")
    assert await refusal(f"{head}.{claims}.{signature}") == "signature"


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b", "a.b.c.d", "..", "é.é.é", "e30.e30.e30.e30.e30", "W10.e30.AA", "x" * 20_000],
    ids=["empty", "a", "two", "four", "dots", "letters", "encrypted", "list", "long"],
)
async def test_what_is_no_token_is_refused(refusal: Check, issuer: BadIssuer, token: str) -> None:
    assert await refusal(token) == "form"
    assert issuer.count(JWKS) == 0


@pytest.mark.parametrize("payload", [[], "text", None, 5])
async def test_claims_that_are_no_object_are_refused(
    refusal: Check, issuer: BadIssuer, payload: Any
) -> None:
    assert await refusal(signed(payload, issuer.key)) == "form"


async def test_a_key_without_a_name_is_used_while_it_is_the_only_one(
    check: Check, issuer: BadIssuer
) -> None:
    issuer.header = {"kid": None}
    assert await check(issuer.token())


@pytest.mark.parametrize(
    ("issuer_claim", "found"),
    [
        (OTHER, OTHER),
        ("https://" + "a" * 500, None),
        ("https://login.example.com/\ud800", None),
        ("https://login.example.com/é", None),
        ("a\0", None),
        ({"$ne": ""}, None),
        (None, None),
    ],
    ids=["good", "long", "half a character", "letter", "NUL", "object", "none"],
)
def test_the_issuer_to_look_for_is_an_address_or_none(
    issuer_claim: object, found: str | None
) -> None:
    assert unproved_issuer(handmade({}, {"iss": issuer_claim}, None)) == found


@given(st.text(max_size=50))
def test_any_text_has_an_issuer_or_none(token: str) -> None:
    assert unproved_issuer(token) is None


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_audiences_are_texts(value: object) -> None:
    assert all(isinstance(each, str) for each in audiences_of({"aud": value}))
