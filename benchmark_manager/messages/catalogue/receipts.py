"""Messages about receipts, and about the project of a receipt or a result."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, one_sentence

MESSAGES: Final[Mapping[str, Message]] = {
    "receipt_not_found": one_sentence(
        404, en="There is no receipt {id!r}.", ko="{id!r} 수령 기록이 없습니다."
    ),
    "receipt_mismatch": one_sentence(
        422,
        en="The receipt {id!r} is of another release or project; name one of this release.",
        ko="{id!r} 수령 기록은 다른 릴리스나 다른 프로젝트의 것입니다. 이 릴리스의 수령 기록을 "
        "지정하세요.",
        hint="The field is `receipt`.",
    ),
    "project_required": one_sentence(
        422,
        en="The release belongs to several projects; name one of them.",
        ko="여러 프로젝트에 속한 릴리스입니다. 프로젝트를 하나 지정하세요.",
        hint="The field is `project_id`.",
    ),
    "project_mismatch": one_sentence(
        422,
        en="The project {id!r} has not made this release; name one that has.",
        ko="{id!r} 프로젝트는 이 릴리스를 만들지 않았습니다. 이 릴리스를 만든 프로젝트를 "
        "지정하세요.",
        hint="The field is `project_id`.",
    ),
}
