"""Messages about variants: their names and contents, merges, and what they are attached to."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.catalogue.results import UPLOADS
from benchmark_manager.messages.message import Message, Sentence, one_sentence

_DECISION: Final = "The decision about {path!r} cannot be applied: "
_LINES: Final = "The decision about a conflict of lines cannot be applied: "
_DECISION_KOREAN: Final = "{path!r}에 대한 결정을 반영할 수 없습니다. "
_LINES_KOREAN: Final = "줄 충돌에 대한 결정을 반영할 수 없습니다. "

MESSAGES: Final[Mapping[str, Message]] = {
    "modified_file_not_found": one_sentence(
        404,
        en="There is no variant {id!r}.",
        ko="{id!r} 수정본이 없습니다. 삭제되었을 수 있습니다.",
    ),
    "revision_not_found": one_sentence(
        404, en="There is no revision {id!r}.", ko="리비전 {id!r}이(가) 없습니다."
    ),
    "reset_not_found": one_sentence(
        404,
        en="There is no reset {id!r}, or nothing is left of it to restore.",
        ko="초기화 {id!r}에서 되살릴 것이 남아 있지 않습니다.",
    ),
    "name_taken": Message(
        409,
        {
            "": Sentence(
                "The project has a variant {path!r} already; choose another name.",
                "이 프로젝트에 경로가 {path!r}인 수정본이 이미 있습니다. 다른 이름을 고르세요.",
            ),
            "undelete": Sentence(
                "The project has a variant {path!r} already; undelete this one with another name.",
                "이 프로젝트에 경로가 {path!r}인 수정본이 이미 있습니다. 다른 이름으로 되살리세요.",
            ),
        },
    ),
    "upstream_moved": one_sentence(
        409,
        en="The original {path!r} has changed since the decisions were made; check the merge "
        "again.",
        ko="결정한 뒤에 원본 {path!r}이(가) 다시 바뀌었습니다. 병합을 다시 확인하세요.",
    ),
    "upstream_removed": one_sentence(
        409,
        en="The original {path!r} was removed upstream, so there is nothing to merge with; keep "
        "the "
        "variant as it is, or delete it.",
        ko="원본 {path!r}이(가) 저장소에서 사라져 병합할 대상이 없습니다. 수정본을 그대로 두거나 "
        "삭제하세요.",
    ),
    "merge_conflict": Message(
        409,
        {
            "": Sentence(
                "The original and the variant changed the same in {count} positions; nothing was "
                "changed.",
                "원본과 수정본이 같은 곳을 바꿔 사람이 결정해야 할 곳이 {count}군데 있습니다. "
                "바뀐 것은 없습니다.",
                one="The original and the variant changed the same in 1 position; nothing was "
                "changed.",
                hint="Send `resolutions` for the `conflicts`, or the whole `content`.",
            )
        },
    ),
    "invalid_name": Message(
        422,
        {
            "length": Sentence(
                "{field} must be 1 to {limit} bytes long.", "{field}: 1~{limit}바이트여야 합니다."
            ),
            "dots": Sentence(
                "{field} must not be `.` or `..`.", "{field}: `.`이나 `..`일 수 없습니다."
            ),
            "path": Sentence(
                "{field} is a file name, not a path: it must not have / or \\.",
                "{field}: 경로가 아닌 파일 이름이어야 하며 /와 \\를 쓸 수 없습니다.",
            ),
            "control": Sentence(
                "{field} must not have control characters.", "{field}: 제어 문자를 쓸 수 없습니다."
            ),
            "yaml_ending": Sentence(
                "{field} must end in .yaml or .yml, as its original is YAML.",
                "{field}: 원본이 YAML이므로 확장자가 .yaml 또는 .yml이어야 합니다.",
            ),
            "json_ending": Sentence(
                "{field} must end in .json, as its original is JSON.",
                "{field}: 원본이 JSON이므로 확장자가 .json이어야 합니다.",
            ),
            "unknown_ending": Sentence(
                "{field} must end in .yaml, .yml or .json.",
                "{field}: 확장자가 .yaml, .yml 또는 .json이어야 합니다.",
            ),
            "config_map": Sentence(
                "{field} must be a DNS subdomain of at most {limit} of a-z 0-9 - and . whose parts "
                "begin and end with a letter or digit.",
                "{field}: a-z, 0-9, -, .로 된 {limit}자 이내의 DNS 하위 도메인이어야 하며, 각 "
                "부분은 글자나 숫자로 시작하고 "
                "끝나야 합니다.",
            ),
        },
    ),
    "invalid_content": one_sentence(
        422,
        en="The content does not parse; correct the problems that are listed.",
        ko="내용에 구문 오류가 있습니다. 목록에 있는 문제를 고치세요.",
        hint="They are in `problems`; to save the content as it is, add `?allow_invalid=true`.",
    ),
    "content_missing": one_sentence(
        422,
        en="Choose the file with the content.",
        ko="내용이 든 파일을 고르세요.",
        readers="pages",
    ),
    "content_not_utf8": one_sentence(
        422,
        en="The file is not UTF-8; save it in this encoding and send it again.",
        ko="파일이 UTF-8이 아닙니다. UTF-8로 저장해서 다시 보내세요.",
        readers="pages",
    ),
    "too_large": Message(
        422,
        {
            "": Sentence(
                "The content has {size} bytes; at most {limit} are allowed.",
                "내용이 {size}바이트입니다. {limit}바이트까지 받습니다.",
            ),
            **UPLOADS,
        },
        other_statuses=dict.fromkeys(UPLOADS, 413),
    ),
    "too_complex": one_sentence(
        422,
        en="This text takes too much time or memory to process; make it smaller or simpler: fewer "
        "values, shorter lines, less nesting, or several files.",
        ko="이 내용은 처리하는 데 시간이나 메모리가 너무 많이 듭니다. 값을 줄이거나, 줄을 짧게 "
        "하거나, 중첩을 줄이거나, 여러 "
        "파일로 나누어 더 작고 단순하게 만드세요.",
    ),
    "other_project": one_sentence(
        422,
        en="This original belongs to another project; choose one of the project of {path!r}.",
        ko="이 원본은 다른 프로젝트에 속해 있습니다. {path!r}의 프로젝트에 있는 원본을 고르세요.",
    ),
    "other_format": one_sentence(
        422,
        en="The original {original!r} is {original_format}, and {path!r} is {format}; choose one "
        "of "
        "the same format.",
        ko="원본 {original!r}의 형식은 {original_format}, {path!r}의 형식은 {format}입니다. "
        "형식이 같은 원본을 고르세요.",
    ),
    "original_removed": one_sentence(
        422,
        en="The original {path!r} was removed upstream itself; choose one that is there.",
        ko="원본 {path!r}도 저장소에서 사라졌습니다. 저장소에 있는 원본을 고르세요.",
    ),
    "merge_unresolved": Message(
        422,
        {
            "": Sentence(
                "{count} conflicts have no decision yet; give one for every conflict of the merge.",
                "아직 결정하지 않은 충돌이 {count}개 있습니다. 병합의 모든 충돌을 결정하세요.",
                one="1 conflict has no decision yet; give one for every conflict of the merge.",
            )
        },
    ),
    "bad_resolution": Message(
        422,
        {
            "not_in_conflict": Sentence(
                f"{_DECISION}this is not in conflict.", f"{_DECISION_KOREAN}충돌이 아닙니다."
            ),
            "lines_not_in_conflict": Sentence(
                f"{_LINES}there is no such conflict.", f"{_LINES_KOREAN}그런 충돌이 없습니다."
            ),
            "decided_before": Sentence(
                f"{_DECISION}it was decided about before.", f"{_DECISION_KOREAN}이미 결정했습니다."
            ),
            "lines_decided_before": Sentence(
                f"{_LINES}it was decided about before.", f"{_LINES_KOREAN}이미 결정했습니다."
            ),
            "lines_have_no_value": Sentence(
                f"{_LINES}lines have no value; take theirs or mine, or send the whole content.",
                f"{_LINES_KOREAN}줄에는 값을 줄 수 없습니다. 원본이나 수정본의 것을 고르거나 "
                f"전체 내용을 보내세요.",
            ),
            "comment": Sentence(
                f"{_DECISION}a comment is a text whose lines begin with #.",
                f"{_DECISION_KOREAN}주석의 모든 줄은 #로 시작해야 합니다.",
            ),
            "not_writable": Sentence(
                f"{_DECISION}the value cannot be written here.",
                f"{_DECISION_KOREAN}여기에 쓸 수 없는 값입니다.",
            ),
            "read_differently": Sentence(
                f"{_DECISION}the value would not be read as it was given.",
                f"{_DECISION_KOREAN}값이 입력한 대로 읽히지 않습니다.",
            ),
            "not_json": Sentence(
                f"{_DECISION}the value is no JSON.", f"{_DECISION_KOREAN}값이 JSON이 아닙니다."
            ),
        },
    ),
    "merge_impossible": one_sentence(
        422,
        en="These decisions cannot be written into the original's text with certainty; edit the "
        "result by hand.",
        ko="이 선택은 원본 본문에 확실하게 써 넣을 수 없습니다. 결과를 직접 편집하세요.",
        hint="Send it as the whole `content`.",
    ),
}
