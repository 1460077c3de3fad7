"""Messages about who may do what: signing in, roles, accounts, tokens and federation."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

#: Reasons that the names of accounts, groups and labels share.
_NAMES: Final[Mapping[str, Sentence]] = {
    "empty": Sentence("{field} must not be empty.", "{field}: 비워 둘 수 없습니다."),
    "long": Sentence(
        "{field} must be at most {limit} characters long.", "{field}: {limit}자 이내여야 합니다."
    ),
    "characters": Sentence(
        "{field} must have visible characters only, and single spaces between them.",
        "{field}: 보이는 글자와 그 사이의 빈칸 하나씩만 쓸 수 있습니다.",
    ),
}
#: Reasons that the claims of federation rules share.
_CLAIMS: Final[Mapping[str, Sentence]] = {
    "empty": _NAMES["empty"],
    "long": _NAMES["long"],
    "characters": Sentence(
        "{field} must have printable ASCII characters only, without spaces.",
        "{field}: 빈칸 없이 ASCII 글자만 쓸 수 있습니다.",
    ),
}

MESSAGES: Final[Mapping[str, Message]] = {
    "unauthenticated": Message(
        401,
        {
            "": Sentence(
                "This service answers only to those it knows: sign in, or send a token.",
                "로그인하거나 토큰을 보내야 쓸 수 있는 서비스입니다.",
                hint="Send the header `Authorization: Bearer bmt_…`.",
            ),
            "session": Sentence(
                "The session has ended; sign in again.",
                "세션이 끝났습니다. 다시 로그인하세요.",
            ),
            "token": Sentence(
                "The token is unknown, has expired or was revoked; make a new one.",
                "알 수 없거나 만료되었거나 폐기된 토큰입니다. 새로 만드세요.",
            ),
            "federation": Sentence(
                "The signed token is not valid, or no rule of federation accepts it.",
                "서명된 토큰이 올바르지 않거나, 이를 받아들이는 연동 규칙이 없습니다.",
            ),
            "proxy": Sentence(
                "The reverse proxy names nobody; sign in there.",
                "리버스 프록시가 사용자를 알려 주지 않았습니다. 그곳에서 로그인하세요.",
            ),
            "disabled": Sentence(
                "The account is disabled; ask an administrator.",
                "사용이 중지된 계정입니다. 관리자에게 문의하세요.",
            ),
        },
    ),
    "sign_in_failed": Message(
        401,
        {
            "": Sentence(
                "There is no account with this name and password.",
                "이름과 비밀번호가 맞는 계정이 없습니다.",
            ),
            "password": Sentence(
                "The current password is another one.", "현재 비밀번호가 맞지 않습니다."
            ),
            "expired": Sentence(
                "This sign-in began too long ago, or in another browser; begin again.",
                "로그인을 시작한 지 너무 오래되었거나 다른 브라우저에서 시작했습니다. 처음부터 "
                "다시 하세요.",
            ),
            "denied": Sentence(
                "The provider did not let you in; begin again, or choose another way.",
                "로그인 제공자가 허용하지 않았습니다. 다시 하거나 다른 방법을 고르세요.",
            ),
            "provider": Sentence(
                "What the provider answered proves nothing; the service's log says more.",
                "로그인 제공자의 응답을 믿을 수 없습니다. 자세한 내용은 서비스 로그에 있습니다.",
            ),
            "unavailable": Sentence(
                "The provider does not answer; try again in a moment.",
                "로그인 제공자가 응답하지 않습니다. 잠시 뒤 다시 시도하세요.",
            ),
            "disabled": Sentence(
                "The account is disabled; ask an administrator.",
                "사용이 중지된 계정입니다. 관리자에게 문의하세요.",
            ),
        },
    ),
    "sign_in_paused": one_sentence(
        429,
        en="Too many sign-ins failed; try again in {seconds} s.",
        ko="로그인에 여러 번 실패했습니다. {seconds}초 뒤에 다시 시도하세요.",
    ),
    "setup_link_refused": one_sentence(
        403,
        en="This link was used already, or is not one of this service; its log has the newest one "
        "while there is no administrator.",
        ko="이미 쓴 링크이거나 이 서비스의 링크가 아닙니다. 아직 관리자가 없다면 서비스 로그에 새 "
        "링크가 있습니다.",
    ),
    "forbidden": Message(
        403,
        {
            "": Sentence(
                "This needs the role {role_needed}.",
                "이 작업에는 {role_needed} 역할이 필요합니다.",
            ),
            "everywhere": Sentence(
                "This needs the role {role_needed} in all projects.",
                "이 작업에는 모든 프로젝트에서의 {role_needed} 역할이 필요합니다.",
            ),
            "session": Sentence(
                "This takes a person who is signed in; a token may not do it.",
                "로그인한 사람만 할 수 있고, 토큰으로는 할 수 없습니다.",
            ),
            "act_for_others": Sentence(
                "X-Actor is accepted only from tokens with `act_for_others`.",
                "X-Actor는 `act_for_others`가 있는 토큰만 보낼 수 있습니다.",
            ),
        },
    ),
    "account_not_found": one_sentence(
        404, en="There is no account {id}.", ko="계정 {id}이(가) 없습니다."
    ),
    "token_not_found": one_sentence(
        404, en="There is no token {id}.", ko="토큰 {id}이(가) 없습니다."
    ),
    "session_not_found": one_sentence(
        404, en="There is no session {id}.", ko="세션 {id}이(가) 없습니다."
    ),
    "grant_not_found": one_sentence(
        404, en="{id} has no role in this project.", ko="{id}에 이 프로젝트의 역할이 없습니다."
    ),
    "federation_rule_not_found": one_sentence(
        404, en="There is no rule of federation {id}.", ko="연동 규칙 {id}이(가) 없습니다."
    ),
    "account_name_taken": one_sentence(
        409,
        en="There is an account that is called {name!r}, or looks so.",
        ko="{name!r}(이)라는 계정이나 그렇게 보이는 계정이 이미 있습니다.",
    ),
    "account_not_local": one_sentence(
        409,
        en="This account signs in elsewhere, and has no password here.",
        ko="다른 곳에서 로그인하는 계정이라 이곳에 비밀번호가 없습니다.",
    ),
    "too_many_tokens": one_sentence(
        409,
        en="This account has {limit} tokens, which is the most; revoke one first.",
        ko="이 계정에는 토큰이 최대 개수인 {limit}개 있습니다. 먼저 하나를 폐기하세요.",
    ),
    "last_administrator": one_sentence(
        409,
        en="This is the last administrator; make another account one first.",
        ko="마지막 관리자입니다. 먼저 다른 계정을 관리자로 만드세요.",
    ),
    "federation_rule_taken": one_sentence(
        409,
        en="Another rule has the same issuer, audience, subject and match; change that one.",
        ko="발급자, 대상, 주체, 비교 방식이 같은 규칙이 이미 있습니다. 그 규칙을 바꾸세요.",
    ),
    "password_refused": Message(
        422,
        {
            "short": Sentence(
                "{field} must have at least {shortest} characters.",
                "{field}: {shortest}자 이상이어야 합니다.",
            ),
            "long": _NAMES["long"],
            "name": Sentence(
                "{field} must not be the account's name.",
                "{field}: 계정 이름과 달라야 합니다.",
            ),
            "common": Sentence(
                "{field} is among the first that others would guess; use a longer phrase.",
                "{field}: 남들이 먼저 짐작해 볼 만한 것입니다. 더 긴 문구를 쓰세요.",
            ),
        },
    ),
    "invalid_account_name": Message(
        422,
        {
            **_NAMES,
            "alphabets": Sentence(
                "{field} must not mix alphabets whose letters look alike.",
                "{field}: 모양이 비슷한 글자가 있는 문자 체계를 섞어 쓸 수 없습니다.",
            ),
            "reserved": Sentence(
                "{field} is one that the service itself has on record.",
                "{field}: 서비스 자신의 기록에 쓰는 이름입니다.",
            ),
        },
    ),
    "invalid_group_name": Message(
        422,
        {
            **_NAMES,
            "comma": Sentence(
                "{field} must not have a comma: proxies separate groups by them.",
                "{field}: 쉼표를 쓸 수 없습니다. 프록시가 그룹을 쉼표로 나눕니다.",
            ),
        },
    ),
    "invalid_label": Message(422, _NAMES),
    "invalid_expiry": Message(
        422,
        {
            "past": Sentence("{field} must be in the future.", "{field}: 지금보다 뒤여야 합니다."),
            "late": Sentence(
                "{field} must be within {days} days; an administrator may choose a later one.",
                "{field}: {days}일 이내여야 합니다. 더 늦게는 관리자만 정할 수 있습니다.",
            ),
        },
    ),
    "invalid_issuer": Message(
        422,
        {
            "form": Sentence(
                "{field} must be an address such as https://token.example.com.",
                "{field}: https://token.example.com과 같은 주소여야 합니다.",
            ),
            "long": _NAMES["long"],
            "credentials": Sentence(
                "{field} must not contain a user name or password.",
                "{field}: 사용자 이름이나 비밀번호를 넣을 수 없습니다.",
            ),
            "query": Sentence(
                "{field} must not have a query or a fragment.",
                "{field}: 쿼리나 프래그먼트를 넣을 수 없습니다.",
            ),
            "plain": Sentence(
                "{field} must begin with https://; http:// is accepted only on this machine.",
                "{field}: https://로 시작해야 합니다. http://는 이 컴퓨터 안에서만 됩니다.",
            ),
        },
    ),
    "invalid_audience": Message(422, _CLAIMS),
    "invalid_subject": Message(
        422,
        {
            **_CLAIMS,
            "wildcard": Sentence(
                "{field} must not have a `*`, which would match only itself; end a prefix with `:` "
                "or `/` instead.",
                "{field}: `*`는 그 글자 자체로만 비교되므로 쓸 수 없습니다. 대신 `:`나 `/`로 "
                "끝나는 접두어를 쓰세요.",
            ),
            "boundary": Sentence(
                "{field}, as a prefix, must end with `:` or `/`, or it matches longer names too.",
                "{field}: 접두어는 `:`나 `/`로 끝나야 합니다. 그렇지 않으면 더 긴 이름도 맞습니다.",
            ),
            "wide": Sentence(
                "{field}, as a prefix, must name more, such as repo:OWNER/ or "
                "system:serviceaccount:NAMESPACE:.",
                "{field}: 접두어가 repo:OWNER/나 system:serviceaccount:NAMESPACE:처럼 더 많은 "
                "부분을 담아야 합니다.",
            ),
        },
    ),
    "rate_limited": one_sentence(
        429,
        en="Too many requests; ask again in {seconds} s.",
        ko="요청이 너무 많습니다. {seconds}초 뒤에 다시 시도하세요.",
    ),
}
