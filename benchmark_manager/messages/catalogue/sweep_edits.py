"""Messages about edits that sweeps make in files, and about the sweeps themselves."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

#: What is wrong with a definition's files, by the reasons of `invalid_request`.
FILES: Final[Mapping[str, Sentence]] = {
    "one_path": Sentence(
        "{field} would stand at {path!r} in each release, as the file with the alias {name!r}; a "
        "sweep edits one file at a path.",
        "{field}: 릴리스마다 {name!r} 별칭의 파일과 같은 {path!r} 경로에 놓이게 됩니다. 한 경로에 "
        "파일 하나만 쓸 수 있습니다.",
    ),
    "contents_changed": Sentence(
        "{field} cannot change: the sweep keeps the files of its generation. Make another sweep.",
        "{field}: 바꿀 수 없습니다. 스윕은 세대를 만들 때의 파일을 유지합니다. 새 스윕을 만드세요.",
    ),
}

#: What follows on which edit of which cell is refused.
_OF_CELL_EN: Final = "Cell {cell}: {path!r} in {file!r}"
_OF_CELL_KO: Final = "셀 {cell}: {file!r}의 {path!r}"


def _of_cell(en: str, ko: str) -> Sentence:
    """Return the sentence of an edit that is refused."""
    return Sentence(f"{_OF_CELL_EN} {en}", f"{_OF_CELL_KO}{ko}")


MESSAGES: Final[Mapping[str, Message]] = {
    "sweep_not_found": one_sentence(
        404,
        en="There is no sweep {id!r}.",
        ko="{id!r} 스윕이 없습니다. 삭제되었을 수 있습니다.",
    ),
    "cell_not_found": one_sentence(
        404, en="The sweep has no cell {id!r}.", ko="스윕에 {id}번 셀이 없습니다."
    ),
    "sweep_conflict": one_sentence(
        409,
        en="The sweep cannot be rebased: {names} is gone, or cannot be edited as before. Change "
        "the definition, or make another sweep.",
        ko="스윕을 리베이스할 수 없습니다. {names}이(가) 없어졌거나 전처럼 편집할 수 없습니다. "
        "정의를 바꾸거나 스윕을 새로 만드세요.",
    ),
    "path_not_found": Message(
        422,
        {
            "": _of_cell(
                "does not exist; end the path in `?` to add it.",
                "이(가) 없습니다. 추가하려면 경로 끝에 `?`를 붙이세요.",
            ),
            "closest": _of_cell(
                "does not exist; the closest path is {closest!r}. End the path in `?` to add it.",
                "이(가) 없습니다. 가장 비슷한 경로는 {closest!r}입니다. 추가하려면 경로 끝에 "
                "`?`를 붙이세요.",
            ),
            "not_addable": _of_cell("does not exist.", "이(가) 없습니다."),
            "not_addable_closest": _of_cell(
                "does not exist; the closest path is {closest!r}.",
                "이(가) 없습니다. 가장 비슷한 경로는 {closest!r}입니다.",
            ),
            "syntax": _of_cell(
                "is no path; write it as differences show it, such as `spec.args[--flag]`.",
                "은(는) 경로가 아닙니다. 차이 보기에 나오는 대로 `spec.args[--flag]`처럼 쓰세요.",
            ),
            "flag": _of_cell(
                "does not exist: the list has no such flag.",
                "이(가) 없습니다. 목록에 그런 플래그가 없습니다.",
            ),
            "no_value": _of_cell("is a flag without a value.", "은(는) 값이 없는 플래그입니다."),
        },
    ),
    "path_ambiguous": one_sentence(
        422,
        en=f"{_OF_CELL_EN} names several values; name one of them by its position.",
        ko=f"{_OF_CELL_KO}에 해당하는 값이 여럿입니다. 위치로 하나를 지정하세요.",
    ),
    "edit_not_possible": Message(
        422,
        {
            "": _of_cell(
                "cannot be set without changing something else.",
                "만 바꿀 수 없습니다. 다른 부분도 바뀝니다.",
            ),
            "contradiction": _of_cell(
                "is set twice, or lies inside another value that is set.",
                "을(를) 두 번 바꾸거나, 함께 바꾸는 다른 값 안에 있습니다.",
            ),
            "shared": _of_cell(
                "cannot be set alone: an alias or a merge key reads the same value.",
                "만 바꿀 수 없습니다. 별칭이나 병합 키가 같은 값을 읽습니다.",
            ),
            "tag": _of_cell(
                "has a YAML tag that the new value contradicts.",
                "의 YAML 태그가 새 값과 맞지 않습니다.",
            ),
            "value": _of_cell(
                "cannot have this value: no reader would read it back.",
                "에 쓸 수 없는 값입니다. 다시 읽을 수 없습니다.",
            ),
            "key": _of_cell(
                "cannot be added: quote its last key.",
                "을(를) 추가할 수 없습니다. 마지막 키를 따옴표로 감싸세요.",
            ),
            "no_mapping": _of_cell(
                "cannot be added: there is no mapping that could have this key.",
                "을(를) 추가할 수 없습니다. 이 키를 둘 매핑이 없습니다.",
            ),
        },
    ),
    "not_editable": Message(
        422,
        {
            "": Sentence(
                "{file!r} cannot be edited by path: it does not parse.",
                "{file!r}은(는) 구문을 해석할 수 없어 경로로 편집할 수 없습니다.",
            ),
            "template": Sentence(
                "{file!r} cannot be edited by path: it is a template.",
                "{file!r}은(는) 템플릿이라 경로로 편집할 수 없습니다.",
            ),
            "too_large": Sentence(
                "{file!r} cannot be edited by path: it may have over 40,000 values, since it has "
                "more lines and commas than that.",
                "{file!r}은(는) 줄과 쉼표가 40,000개를 넘어 경로로 편집할 수 없습니다. 값이 그보다 "
                "많을 수 있습니다.",
            ),
        },
    ),
    "cell_too_large": one_sentence(
        422,
        en="A cell's {path!r} would have {size} bytes; at most {limit} are allowed.",
        ko="셀의 {path!r}이(가) {size}바이트가 됩니다. {limit}바이트까지 받습니다.",
    ),
    "sweep_too_large": Message(
        422,
        {
            "": Sentence(
                "The edited files of all cells would have more than {limit} bytes; use fewer "
                "cells.",
                "모든 셀의 편집된 파일이 {limit}바이트를 넘습니다. 셀을 줄이세요.",
            ),
            "assignments": Sentence(
                "{field} have values of more than {limit} characters over all combinations; give "
                "long ones in points, which have names.",
                "{field}: 모든 조합의 값이 {limit}자를 넘습니다. 긴 값은 이름이 있는 점(points)에 "
                "넣으세요.",
            ),
        },
    ),
}
