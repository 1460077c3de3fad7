"""Messages about sweeps."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.catalogue.sweep_imports import IMPORTS
from benchmark_manager.messages.message import Message, Sentence, one_sentence

#: What is wrong with a definition or an import, by the reasons of `invalid_request`.
DEFINITIONS: Final[Mapping[str, Sentence]] = {
    "object_expected": Sentence(
        "{field} must be an object.", "{field}: 객체(이름과 값의 쌍)여야 합니다."
    ),
    "list_expected": Sentence("{field} must be a list.", "{field}: 목록이어야 합니다."),
    "text_expected": Sentence("{field} must be a text.", "{field}: 텍스트여야 합니다."),
    "text_too_long": Sentence(
        "{field} must be at most {limit} characters long.", "{field}: {limit}자 이내여야 합니다."
    ),
    "line_expected": Sentence(
        "{field} must be one line of 1 to {limit} characters that is not blank.",
        "{field}: 공백만이 아닌 1~{limit}자의 한 줄이어야 합니다.",
    ),
    "word_expected": Sentence(
        "{field} must be one of {names}.", "{field}: {names} 중 하나여야 합니다."
    ),
    "whole_number_expected": Sentence(
        "{field} must be a whole number from 1 to {limit}.",
        "{field}: 1에서 {limit} 사이의 정수여야 합니다.",
    ),
    "unknown_field": Sentence(
        "There is no field {field}; fields here are {names}.",
        "{field}: 없는 필드입니다. 여기에는 {names}을(를) 쓸 수 있습니다.",
    ),
    "field_missing": Sentence("{field} is missing.", "{field}: 값이 없습니다."),
    "empty": Sentence(
        "{field} must have at least one entry.", "{field}: 항목이 하나 이상 있어야 합니다."
    ),
    "too_many_entries": Sentence(
        "{field} may have at most {limit} entries.", "{field}: 항목은 {limit}개까지입니다."
    ),
    "not_json": Sentence(
        "{field} has a number or a text that JSON cannot hold: not finite, over 300 digits, or "
        "half of a surrogate pair.",
        "{field}: JSON으로 나타낼 수 없는 값이 있습니다. 유한하지 않은 수, 300자리가 넘는 수 또는 "
        "서로게이트 쌍의 절반입니다.",
    ),
    "too_large": Sentence(
        "{field} may have at most {limit} characters, counting a few for each value.",
        "{field}: 값마다 몇 자씩을 더해 모두 {limit}자까지입니다.",
    ),
    "too_deep": Sentence(
        "{field} may be nested at most {limit} levels deep.",
        "{field}: {limit}단계까지만 중첩할 수 있습니다.",
    ),
    "alias_expected": Sentence(
        "{field} must be an alias: 1 to {limit} characters of A-Z a-z 0-9 - _.",
        "{field}: 별칭은 A-Z, a-z, 0-9, -, _로 된 1~{limit}자여야 합니다.",
    ),
    "file_twice": Sentence(
        "{field} is the file that has the alias {name!r} already; use that one.",
        "{field}: 이미 {name!r} 별칭이 있는 파일입니다. 그 별칭을 쓰세요.",
    ),
    "target_expected": Sentence(
        "{field} must be ALIAS:PATH, such as engine:spec.parallelism.",
        "{field}: engine:spec.parallelism처럼 별칭:경로 형식이어야 합니다.",
    ),
    "unknown_alias": Sentence(
        "{field} begins with {name!r}, which is no alias; the aliases are {names}.",
        "{field}: {name!r}(이)라는 별칭이 없습니다. 있는 별칭은 {names}입니다.",
    ),
    "name_twice": Sentence(
        "{field} is {name!r}, as one before it; names must be unique.",
        "{field}: {name!r}(이)라는 이름이 앞에 있습니다. 이름은 서로 달라야 합니다.",
    ),
    "target_twice": Sentence(
        "{field} sets {name!r} twice, with or without `?`; once is enough.",
        "{field}: `?`가 있든 없든 {name!r}을(를) 두 번 바꿉니다. 하나만 남기세요.",
    ),
    "values_or_points": Sentence(
        "{field} must have either `set` and `values`, or `points`.",
        "{field}: `set`과 `values`가 함께 있거나 `points`만 있어야 합니다.",
    ),
    "unknown_axis": Sentence(
        "{field} names no axis; the axes are {names}.",
        "{field}: 그런 축이 없습니다. 있는 축은 {names}입니다.",
    ),
    "unknown_point": Sentence(
        "{field} must be the name of a point of the axis {name!r}.",
        "{field}: {name!r} 축에 있는 점의 이름이어야 합니다.",
    ),
    "axis_missing": Sentence(
        "{field} must name every axis; {name!r} is missing.",
        "{field}: 모든 축의 값이 있어야 합니다. {name!r}이(가) 없습니다.",
    ),
    "lengths_differ": Sentence(
        "{field} must have {expected} values or points like the first axis, as axes that are "
        "zipped advance together; it has {found}.",
        "{field}: zip에서는 축들이 함께 나아가므로 첫 번째 축처럼 값이나 점이 {expected}개여야 "
        "합니다. 지금은 {found}개입니다.",
    ),
    "too_many_settings": Sentence(
        "{field} may set at most {limit} values in one combination.",
        "{field}: 조합 하나에서 바꿀 수 있는 값은 {limit}개까지입니다.",
    ),
    "too_many_axis_settings": Sentence(
        "{field} may set at most {limit} values over all: each value of an axis counts once for "
        "each of its targets.",
        "{field}: 전체 축이 바꿀 수 있는 값은 {limit}개까지입니다. "
        "축의 값 하나는 대상마다 한 번씩 셉니다.",
    ),
    "values_too_long": Sentence(
        "{field} may have values of at most {limit} characters in one combination; give long ones "
        "in points, which have names.",
        "{field}: 조합 하나의 값은 모두 {limit}자까지입니다. 긴 값은 이름이 있는 점(points)에 "
        "넣으세요.",
    ),
    "no_cells": Sentence(
        "{field} removes every combination; leave at least one.",
        "{field}: 조합이 모두 빠집니다. 하나 이상 남겨야 합니다.",
    ),
    **IMPORTS,
}

MESSAGES: Final[Mapping[str, Message]] = {
    "invalid_yaml": one_sentence(
        422,
        en="The YAML does not parse, or has values that JSON cannot hold; correct the problems "
        "that are listed.",
        ko="YAML에 구문 오류나 JSON으로 나타낼 수 없는 값이 있습니다. 목록에 있는 문제를 고치세요.",
        hint="They are in `problems`.",
    ),
    "too_many_cells": Message(
        422,
        {
            "": Sentence(
                "The definition has {count} cells; a sweep may have at most {limit}. Use fewer "
                "values, or `exclude`.",
                "정의에 셀이 {count}개 있습니다. 스윕에는 {limit}개까지 둘 수 있습니다. 값을 "
                "줄이거나 `exclude`를 쓰세요.",
            ),
            "of_axes": Sentence(
                "The axes have {count} combinations before `exclude` and `include`; a sweep may "
                "have at most {limit} cells. Use fewer values.",
                "`exclude`와 `include`를 적용하기 전 축의 조합이 {count}개입니다. 스윕에는 셀을 "
                "{limit}개까지 둘 수 있습니다. 값을 줄이세요.",
            ),
        },
    ),
    "contradicting_axes": one_sentence(
        422,
        en="The axes {names} set {path!r} to different values; let one axis set it.",
        ko="{names} 축이 {path!r}을(를) 서로 다른 값으로 바꿉니다. 한 축에서만 바꾸세요.",
    ),
}
