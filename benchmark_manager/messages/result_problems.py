"""Korean for problems of files of results, which are stored with an English sentence."""

import re
from collections.abc import Mapping
from typing import Final

#: Sentences by code; what a problem names follows them.
KOREAN: Final[Mapping[str, str]] = {
    "alias_not_read": "목록이나 객체의 별칭과 `<<`는 따라가지 않으므로 제외했습니다",
    "cut_file": "파일이 중간에 끊겼습니다. 잘린 부분은 읽지 못했습니다.",
    "duplicate_key": "한 객체에 이름이 같은 항목이 있습니다. 마지막 것을 읽었습니다",
    "empty_file": "파일이 비어 있습니다.",
    "name_not_allowed": "이름은 보이는 글자 1~200자여야 하므로 제외했습니다",
    "no_metrics": "파일에 읽을 수 있는 지표가 없습니다.",
    "not_a_number": "숫자가 아니므로 제외했습니다",
    "not_finite": "유한한 숫자가 아니므로 제외했습니다",
    "not_json": "JSON도 YAML도 아닙니다",
    "not_measured": "도구가 측정하지 않은 값을 0으로 적으므로 제외했습니다",
    "not_text": "UTF-8이나 UTF-16 텍스트 파일이 아닙니다.",
    "other_format": "형식이 다른 항목이므로 제외했습니다",
    "too_complex": "파일이 너무 크거나 복잡해서 읽지 못했습니다.",
    "too_many_metrics": "처음 10,000개의 지표만 읽었습니다.",
    "too_many_points": "처음 1,000개의 점만 읽었습니다.",
    "unit_unknown": "단위를 변환할 수 없어 제외했습니다",
}
_MORE: Final = re.compile(r" and ([\d,]+) more$")
_OTHERS: Final = r" 외 \1개"


def problem_words(code: str, stored: str, names: str, language: str) -> str:
    """Return words for a problem of a file, of which an English sentence is stored.

    `names` are those that the sentence lists.
    """
    sentence = KOREAN.get(code)
    if language != "ko" or sentence is None:
        return stored
    ends = f": {_MORE.sub(_OTHERS, names)}." if names else "."
    return sentence.removesuffix(".") + ends
