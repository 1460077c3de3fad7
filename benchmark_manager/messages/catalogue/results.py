"""Messages about results."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

#: What is wrong with an upload, by the reasons of `invalid_request`.
UPLOAD_FIELDS: Final[Mapping[str, Sentence]] = {
    "release_or_run": Sentence(
        "Say what was measured: {field} must be the digest of a release, or `run` the id of a run.",
        "무엇을 측정했는지 알려 주세요. {field}에는 릴리스의 다이제스트를, 또는 `run`에 실행의 "
        "ID를 넣으세요.",
    ),
    "file_missing": Sentence(
        "{field} is missing; send the result as one file of the form.",
        "{field}: 파일이 없습니다. 결과를 양식의 파일 하나로 보내세요.",
    ),
    "empty_file": Sentence("{field} must not be empty.", "{field}: 빈 파일은 받지 않습니다."),
    "field_twice": Sentence("{field} is given twice.", "{field}: 두 번 지정했습니다."),
}
#: What is wrong with the filters of a list, by the reasons of `invalid_request`.
FILTERS: Final[Mapping[str, Sentence]] = {
    "cell_without_sweep": Sentence(
        "{field} is missing: a cell is one of a sweep.",
        "{field}: 값이 없습니다. 셀은 스윕과 함께 지정하세요.",
        hint="Give `sweep` beside `cell`.",
    ),
}
#: Results that are too large, by the reasons of `too_large`.
UPLOADS: Final[Mapping[str, Sentence]] = {
    "result": Sentence(
        "The result has {size} bytes; at most {limit} are allowed.",
        "결과가 {size}바이트입니다. {limit}바이트까지 받습니다.",
    ),
    "upload": Sentence(
        "The upload is too large; a result may have {limit} bytes.",
        "보낸 내용이 너무 큽니다. 결과는 {limit}바이트까지 받습니다.",
    ),
}

MESSAGES: Final[Mapping[str, Message]] = {
    "result_not_found": one_sentence(
        404,
        en="There is no result {id!r}.",
        ko="{id!r} 결과가 없습니다. 삭제되었을 수 있습니다.",
    ),
    "run_not_found": one_sentence(404, en="There is no run {id!r}.", ko="{id!r} 실행이 없습니다."),
    "malformed_form": one_sentence(
        400,
        en="The form cannot be read; send multipart/form-data with its boundary, whole.",
        ko="양식을 읽을 수 없습니다. 경계(boundary)가 있는 multipart/form-data를 끝까지 보내세요.",
    ),
    "invalid_labels": Message(
        422,
        {
            "form": Sentence(
                '{field} must be a JSON object of texts, such as {{"gpu": "H100"}}.',
                '{field}: {{"gpu": "H100"}}처럼 값이 텍스트인 JSON 객체여야 합니다.',
            ),
            "count": Sentence(
                "{field} may have at most {limit} entries.",
                "{field}: 항목은 {limit}개까지입니다.",
            ),
            "twice": Sentence(
                "{field} has {name!r} twice; once is enough.",
                "{field}: {name!r}이(가) 두 번 있습니다. 하나만 남기세요.",
            ),
            "name": Sentence(
                "{field} must have names of 1 to {limit} visible characters.",
                "{field}: 이름은 보이는 글자 1~{limit}자여야 합니다.",
            ),
            "value": Sentence(
                "{field}: the value of {name!r} must be one line of at most {limit} characters.",
                "{field}: {name!r}의 값은 {limit}자 이내의 한 줄이어야 합니다.",
            ),
        },
    ),
    "invalid_note": one_sentence(
        422,
        en="{field} must be text of at most {limit} characters, without NUL.",
        ko="{field}: NUL이 없는 {limit}자 이내의 텍스트여야 합니다.",
    ),
    "invalid_file_name": one_sentence(
        422,
        en="{field} must be one line of 1 to {limit} characters that is not blank.",
        ko="{field}: 공백만이 아닌 1~{limit}자의 한 줄이어야 합니다.",
    ),
}
