"""Messages about identity providers and signed tokens, for administrators as much as for people."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence

MESSAGES: Final[Mapping[str, Message]] = {
    "issuer_failed": Message(
        502,
        {
            "unreachable": Sentence(
                "The identity provider at {url} cannot be reached ({what}); try again, and check "
                "the network and the provider's address.",
                "{url}의 ID 제공자에 연결할 수 없습니다({what}). 다시 시도하고, 네트워크와 제공자 "
                "주소를 확인하세요.",
            ),
            "status": Sentence(
                "The identity provider answered {status} at {url}; check the issuer, and the "
                "client's id and secret.",
                "ID 제공자가 {url}에서 {status}(으)로 응답했습니다. 발급자, 클라이언트 ID와 비밀 "
                "값을 확인하세요.",
            ),
            "too_large": Sentence(
                "The answer of the identity provider at {url} is too large.",
                "{url}의 ID 제공자 응답이 너무 큽니다.",
            ),
            "not_json": Sentence(
                "The identity provider at {url} did not answer with a JSON object; check the "
                "issuer's address.",
                "{url}의 ID 제공자가 JSON 객체로 응답하지 않았습니다. 발급자 주소를 확인하세요.",
            ),
            "not_https": Sentence(
                "The identity provider names an address without encryption, {url}; it must use "
                "https.",
                "ID 제공자가 암호화되지 않은 주소 {url}을(를) 알려 줍니다. https를 써야 합니다.",
            ),
            "other_issuer": Sentence(
                "The discovery document of {issuer} names another issuer; the configured issuer "
                "must be written exactly as the provider writes it.",
                "{issuer}의 디스커버리 문서가 다른 발급자를 알려 줍니다. 발급자를 제공자가 쓰는 "
                "그대로 설정하세요.",
            ),
            "no_keys": Sentence(
                "The identity provider {issuer} publishes no key for signatures that is accepted: "
                "RSA of at least 2048 bits, EC or Ed25519.",
                "ID 제공자 {issuer}에 쓸 수 있는 서명 키(2048비트 이상의 RSA, EC, Ed25519)가 "
                "없습니다.",
            ),
            "no_endpoint": Sentence(
                "The identity provider {issuer} does not say where people sign in; it is none for "
                "sign-in with OpenID Connect.",
                "ID 제공자 {issuer}가 로그인할 주소를 알려 주지 않습니다. OpenID Connect 로그인에 "
                "쓸 수 없습니다.",
            ),
        },
    ),
    "signed_token_refused": Message(
        401,
        {
            "credential": Sentence(
                "The token is none of this service, as those begin with bmt_, and no signed token "
                "(JWT) either; check that it was copied whole.",
                "이 서비스의 토큰(bmt_로 시작)도 서명된 토큰(JWT)도 아닙니다. 토큰을 빠짐없이 "
                "복사했는지 확인하세요.",
            ),
            "form": Sentence(
                "What the identity provider sent is no signed token (JWT).",
                "ID 제공자가 보낸 것이 서명된 토큰(JWT)이 아닙니다.",
            ),
            "algorithm": Sentence(
                "The token's algorithm is not accepted; RS256, ES256 and their siblings are, "
                "unsigned tokens and HMAC are not.",
                "토큰의 알고리즘을 받을 수 없습니다. RS256, ES256과 같은 계열만 되고, 서명 없는 "
                "토큰과 HMAC은 안 됩니다.",
            ),
            "signature": Sentence(
                "The token's signature is not one of its issuer's keys.",
                "토큰의 서명이 발급자의 키와 맞지 않습니다.",
            ),
            "issuer": Sentence(
                "The token, or the answer, is of another issuer than the configured one.",
                "토큰이나 응답의 발급자가 설정된 발급자와 다릅니다.",
            ),
            "audience": Sentence(
                "The token is meant for another audience; ask for one for this service.",
                "토큰의 대상(audience)이 이 서비스가 아닙니다. 이 서비스를 대상으로 한 토큰을 "
                "요청하세요.",
            ),
            "party": Sentence(
                "The token was given to another client (azp).",
                "토큰이 다른 클라이언트(azp)에 발급되었습니다.",
            ),
            "expired": Sentence(
                "The token has expired, or has no time of expiry.",
                "토큰이 만료되었거나 만료 시각이 없습니다.",
            ),
            "too_early": Sentence(
                "The token is not valid yet; check the clocks of both machines.",
                "토큰이 아직 유효하지 않습니다. 두 기계의 시계를 확인하세요.",
            ),
            "subject": Sentence(
                "The token does not say whom it is about (sub), or two answers differ in it.",
                "토큰에 대상자(sub)가 없거나, 두 응답의 대상자가 다릅니다.",
            ),
            "nonce": Sentence(
                "The token was made for another sign-in (nonce); sign in again.",
                "토큰이 다른 로그인(nonce)에 대한 것입니다. 다시 로그인하세요.",
            ),
            "state": Sentence(
                "This sign-in was not begun in this browser, or took longer than ten minutes; "
                "sign in again.",
                "이 브라우저에서 시작한 로그인이 아니거나 10분이 지났습니다. 다시 로그인하세요.",
            ),
            "refused": Sentence(
                "The identity provider refused the sign-in.", "ID 제공자가 로그인을 거부했습니다."
            ),
            "rule": Sentence(
                "No federation rule accepts this token's issuer, audience and subject; an "
                "administrator can add one.",
                "이 토큰의 발급자, 대상, 주체를 허용하는 연동 규칙이 없습니다. 관리자가 추가할 수 "
                "있습니다.",
            ),
        },
    ),
}
