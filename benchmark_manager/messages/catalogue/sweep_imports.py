"""Messages about sweeps of other tools that are taken over."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Sentence

#: What is wrong with a tool's text, by the reasons of `invalid_request`.
IMPORTS: Final[Mapping[str, Sentence]] = {
    "json_expected": Sentence(
        "{field} must be JSON; check its syntax near character {position}.",
        "{field}: JSON이어야 합니다. {position}번째 글자 근처의 문법을 확인하세요.",
    ),
    "link_vars_expected": Sentence(
        "{field} must be pairs of names such as max_num_seqs=max_concurrency, with commas between "
        "them.",
        "{field}: max_num_seqs=max_concurrency 같은 이름의 쌍을 쉼표로 이어 써야 합니다.",
    ),
    "not_grid": Sentence(
        "{field} is {name!r}; only `grid` is a list of combinations. Other methods choose values "
        "while they run.",
        "{field}: {name!r}입니다. 조합의 목록이 있는 것은 `grid`뿐입니다. 다른 방법은 실행하면서 "
        "값을 고릅니다.",
    ),
}
