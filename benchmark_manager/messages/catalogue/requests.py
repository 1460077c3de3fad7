"""Messages about requests themselves, whatever they ask for, and about webhooks."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.catalogue.result_tables import SELECTIONS
from benchmark_manager.messages.catalogue.results import FILTERS, UPLOAD_FIELDS
from benchmark_manager.messages.catalogue.sweep_edits import FILES
from benchmark_manager.messages.catalogue.sweeps import DEFINITIONS
from benchmark_manager.messages.message import Message, Sentence, one_sentence

MESSAGES: Final[Mapping[str, Message]] = {
    "malformed_json": Message(
        400,
        {
            "syntax": Sentence(
                "The body is not JSON; check its syntax near character {position}.",
                "본문이 JSON이 아닙니다. {position}번째 글자 근처의 문법을 확인하세요.",
            ),
            "encoding": Sentence(
                "The body cannot be read as JSON; send JSON in UTF-8.",
                "본문을 JSON으로 읽을 수 없습니다. UTF-8로 된 JSON을 보내세요.",
            ),
            "too_deep": Sentence(
                "The body cannot be read as JSON: its lists and objects are nested too deeply.",
                "본문을 JSON으로 읽을 수 없습니다. 목록과 객체가 너무 깊이 중첩되어 있습니다.",
            ),
            "long_number": Sentence(
                "The body cannot be read as JSON: a whole number has more than {limit} digits.",
                "본문을 JSON으로 읽을 수 없습니다. {limit}자리가 넘는 정수가 있습니다.",
            ),
        },
    ),
    "prefix_not_allowed": Message(
        400,
        {
            "header": Sentence(
                "X-Forwarded-Prefix is no path such as /benchmarks; have the proxy set or remove "
                "it, "
                "or set ROOT_PATH.",
                "X-Forwarded-Prefix가 /benchmarks와 같은 경로가 아닙니다. 프록시가 이 헤더를 "
                "올바르게 보내거나 "
                "지우게 하거나, ROOT_PATH를 설정하세요.",
            ),
            "too_long": Sentence(
                "The path must be at most {limit} characters long.",
                "경로는 {limit}자 이내여야 합니다.",
            ),
            "form": Sentence(
                "The path must be one such as /benchmarks, of letters, digits, `.`, `_`, `~` and "
                "`-` "
                "between single slashes.",
                "경로는 /benchmarks처럼 글자, 숫자, `.`, `_`, `~`, `-`를 슬래시 하나씩으로 나눈 "
                "것이어야 합니다.",
            ),
            "dots": Sentence(
                "The path must not have `.` or `..` as a segment.",
                "경로에는 `.`이나 `..` 부분이 있을 수 없습니다.",
            ),
            "own_path": Sentence(
                "The path must not begin with /{segment}, as paths of the service itself do.",
                "경로는 서비스 자체의 경로처럼 /{segment}로 시작할 수 없습니다.",
            ),
            "empty_segment": Sentence(
                "The path must not have empty segments.", "경로에는 빈 부분이 있을 수 없습니다."
            ),
        },
    ),
    "malformed_webhook": Message(
        400,
        {
            "not_json": Sentence(
                "The webhook cannot be understood: its payload is no JSON, or nested too deeply.",
                "웹훅을 이해할 수 없습니다. 내용이 JSON이 아니거나 너무 깊이 중첩되어 있습니다.",
            ),
            "not_an_object": Sentence(
                "The webhook cannot be understood: its payload is no JSON object.",
                "웹훅을 이해할 수 없습니다. 내용이 JSON 객체가 아닙니다.",
            ),
            "too_many_fields": Sentence(
                "The webhook cannot be understood: the form has too many fields.",
                "웹훅을 이해할 수 없습니다. 양식에 필드가 너무 많습니다.",
            ),
            "no_payload": Sentence(
                "The webhook cannot be understood: the form has no field named payload, or "
                "several.",
                "웹훅을 이해할 수 없습니다. 양식에 payload 필드가 없거나 여럿 있습니다.",
            ),
            "no_address": Sentence(
                "The webhook cannot be understood: its repository has no address, such as "
                "commits_url "
                "or html_url.",
                "웹훅을 이해할 수 없습니다. 저장소에 commits_url이나 html_url 같은 주소가 "
                "없습니다.",
            ),
            "wrong_fields": Sentence(
                "The webhook cannot be understood: of the {event} these fields are missing or "
                "wrong: "
                "{names}.",
                "웹훅을 이해할 수 없습니다. {event} 이벤트에 없거나 잘못된 필드: {names}.",
            ),
            "wrong_header": Sentence(
                "The webhook cannot be understood: the header {header} is missing or wrong.",
                "웹훅을 이해할 수 없습니다. {header} 헤더가 없거나 잘못되었습니다.",
            ),
            "ended_early": Sentence(
                "The webhook cannot be understood: its body ended early.",
                "웹훅을 이해할 수 없습니다. 본문이 도중에 끊겼습니다.",
            ),
        },
    ),
    "bad_signature": one_sentence(
        401,
        en="X-Hub-Signature-256 is not this body's; give the webhook at GitHub the secret that "
        "WEBHOOK_SECRET has.",
        ko="X-Hub-Signature-256이 이 본문의 서명이 아닙니다. GitHub의 웹훅에 WEBHOOK_SECRET과 "
        "같은 값을 넣으세요.",
    ),
    "origin_not_allowed": one_sentence(
        403,
        en="A page of another origin sent this request; PUBLIC_URL names the service's own origin, "
        "CORS_ORIGINS names others that are allowed.",
        ko="이 서비스의 페이지가 아닌 곳에서 보낸 요청입니다. 이 서비스의 페이지라면 PUBLIC_URL이 "
        "브라우저의 주소와 같아야 하고, "
        "다른 페이지는 CORS_ORIGINS에 있어야 합니다.",
    ),
    "route_not_found": one_sentence(
        404,
        en="There is nothing at this address.",
        ko="이 주소에는 페이지가 없습니다.",
        hint="/docs lists what there is.",
    ),
    "method_not_allowed": one_sentence(
        405,
        en="This address does not accept {method}; it accepts {allowed}.",
        ko="이 주소는 {method} 요청을 받지 않습니다. 받는 요청: {allowed}.",
    ),
    "request_timeout": one_sentence(
        408,
        en="The body came too slowly; send it again.",
        ko="보낸 내용이 너무 느리게 도착했습니다. 다시 보내세요.",
    ),
    "stale": one_sentence(
        412,
        en="Another person changed this in the meantime; it is at revision {current_revision} now. "
        "Read it again, then repeat your change.",
        ko="그사이 다른 사람이 바꿔 지금은 리비전 {current_revision}입니다. 다시 읽은 뒤 변경을 "
        "반복하세요.",
    ),
    "body_too_large": one_sentence(
        413,
        en="The body is too large; a request may have {limit} MiB.",
        ko="보낸 내용이 너무 큽니다. 요청은 {limit} MiB까지 보낼 수 있습니다.",
    ),
    "unsupported_media_type": Message(
        415,
        {
            "": Sentence(
                "Send the body as application/json, and say so in Content-Type.",
                "본문을 application/json으로 보내고 Content-Type에도 그렇게 적으세요.",
            ),
            "webhook": Sentence(
                "Set the webhook's content type to application/json or {form}.",
                "웹훅의 콘텐츠 형식을 application/json 또는 {form}으로 설정하세요.",
            ),
        },
    ),
    "host_not_allowed": one_sentence(
        421,
        en="The service does not answer to this host name; add the name to ALLOWED_HOSTS, or set "
        "PUBLIC_URL.",
        ko="이 서비스는 이 호스트 이름에 응답하지 않습니다. ALLOWED_HOSTS에 이름을 더하거나 "
        "PUBLIC_URL을 설정하세요.",
    ),
    "invalid_request": Message(
        422,
        {
            "fields": Sentence(
                "{count} fields are wrong: {listed}.",
                "요청에 잘못된 값이 있습니다({count}개): {listed}.",
                one="1 field is wrong: {listed}.",
            ),
            "against": Sentence(
                "{field} must be base, original, or revision:N with a number.",
                "{field}: base, original 또는 revision:N(N은 숫자)이어야 합니다.",
            ),
            "blank_query": Sentence(
                "{field} must have 1 to {limit} characters that are not all blank.",
                "{field}: 공백만이 아닌 1~{limit}자여야 합니다.",
            ),
            "query_of_lines": Sentence(
                "{field} must be one line, without NUL.",
                "{field}: NUL이 없는 한 줄이어야 합니다.",
            ),
            "member_twice": Sentence(
                "{field} has an object in which the name {name!r} stands twice; leave one of them.",
                "{field}: 한 객체에 {name!r}(이)라는 이름이 두 번 있습니다. 하나만 남기세요.",
            ),
            "unreadable_editor": Sentence(
                "The editor sent its text in a form that cannot be read; save again.",
                "편집기가 보낸 내용을 읽을 수 없습니다. 다시 저장하세요.",
            ),
            "variants_of_originals": Sentence(
                "A release of originals has no variants.",
                "원본만의 릴리스에는 수정본을 넣을 수 없습니다.",
                hint="Leave `modified_file_ids` out.",
            ),
            **DEFINITIONS,
            **SELECTIONS,
            **FILES,
            **FILTERS,
            **UPLOAD_FIELDS,
            "substitute_form": Sentence(
                "{field} must be PATH=ID: the path of an original, and the id of a variant of it.",
                "{field}: PATH=ID 형식(원본의 경로와 그 수정본의 ID)이어야 합니다.",
            ),
            "substitute_twice": Sentence(
                "Two variants are to stand in place of {path!r}; choose one.",
                "{path!r} 자리에 쓸 수정본이 둘입니다. 하나만 고르세요.",
            ),
        },
    ),
    "invalid_cursor": one_sentence(
        422,
        en="This page of the list does not exist; start again at the beginning.",
        ko="목록의 이 페이지는 더 이상 없습니다. 처음부터 다시 보세요.",
        hint="`cursor` must be one that this list returned.",
    ),
    "too_many_listeners": one_sentence(
        429,
        en="{clients} clients at this address listen to events already; close some.",
        ko="이 주소의 클라이언트 {clients}개가 이미 이벤트를 받고 있습니다. 몇 개를 닫으세요.",
    ),
    "internal_error": Message(
        500,
        {
            "": Sentence(
                "The service made a mistake; its log says more.",
                "서비스에 오류가 났습니다. 자세한 내용은 로그에 있습니다.",
            ),
            "status": Sentence(
                "The request was refused with the status {status}.",
                "요청이 상태 {status}(으)로 거부되었습니다.",
            ),
            "sync": Sentence(
                "The service failed while it synced this project; its log says how.",
                "이 프로젝트를 동기화하다 서비스에 오류가 났습니다. 자세한 내용은 로그에 있습니다.",
            ),
        },
    ),
    "service_stopping": one_sentence(
        503,
        en="The service is stopping and did not finish this; ask again in a moment.",
        ko="서비스를 멈추는 중이라 끝내지 못했습니다. 잠시 뒤 다시 시도하세요.",
    ),
    "service_busy": Message(
        503,
        {
            "bodies": Sentence(
                "Too many large bodies arrive at once; send this one again.",
                "큰 요청이 한꺼번에 너무 많이 도착했습니다. 다시 보내세요.",
            ),
            "slow_body": Sentence(
                "The body was not read within {seconds} s: it came too slowly, or with too many "
                "other "
                "large ones; send it again.",
                "본문을 {seconds}초 안에 읽지 못했습니다. 너무 느리게 도착했거나 다른 큰 요청이 "
                "너무 많았습니다. 다시 보내세요.",
            ),
            "listeners": Sentence(
                "{clients} clients listen to this process already; try again in a moment.",
                "클라이언트 {clients}개가 이미 이 프로세스의 이벤트를 받고 있습니다. 잠시 후 "
                "다시 시도하세요.",
            ),
            "texts": Sentence(
                "The service is busy with other texts; nothing was changed. Try again in a moment.",
                "서비스가 다른 내용을 처리하느라 바쁩니다. 바뀐 것은 없습니다. 잠시 후 다시 "
                "시도하세요.",
            ),
        },
    ),
}
