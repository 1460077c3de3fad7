"""Messages about tables of results."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

#: What is wrong with a selection, by the reasons of `invalid_request`.
SELECTIONS: Final[Mapping[str, Sentence]] = {
    "sweep_or_releases": Sentence(
        "Choose a sweep, or releases; a table cannot compare both.",
        "스윕과 릴리스 중 하나만 고르세요. 한 표에서 둘을 함께 비교할 수 없습니다.",
        hint="Leave `sweep` or `releases` out.",
    ),
    "too_many_metrics": Sentence(
        "{field} may name at most {limit} metrics.",
        "{field}: 지표는 {limit}개까지 고를 수 있습니다.",
    ),
    "two_metrics": Sentence(
        "{field} must be two different metrics, separated by a comma.",
        "{field}: 서로 다른 지표 두 개를 쉼표로 구분해 넣으세요.",
    ),
}

MESSAGES: Final[Mapping[str, Message]] = {
    "baseline_not_compared": one_sentence(
        422,
        en="The baseline {id!r} is not among the compared releases that have results.",
        ko="기준선 {id!r}은(는) 결과가 있는 비교 대상 릴리스에 없습니다.",
        hint="`baseline` must be the digest of a compared release, or with `sweep` the index of a "
        "cell that no rebase has retired.",
    ),
    "too_many_results": Message(
        422,
        {
            "metrics": Sentence(
                "A table reads at most {limit} MB of metrics; choose fewer results.",
                "표 하나에서 지표를 {limit}MB까지 읽습니다. 결과를 더 적게 고르세요.",
                hint="`sweep` or `releases` chooses some.",
            ),
            "releases": Sentence(
                "A table compares at most {limit} releases; choose fewer.",
                "표 하나에서 릴리스를 {limit}개까지 비교할 수 있습니다. 더 적게 고르세요.",
                hint="`sweep` or `releases` chooses some.",
            ),
            "results": Sentence(
                "A table compares at most {limit} results; choose fewer releases.",
                "표 하나에서 결과를 {limit}개까지 비교할 수 있습니다. 릴리스를 더 적게 고르세요.",
                hint="`sweep` or `releases` chooses some.",
            ),
        },
    ),
    "unknown_metric": one_sentence(
        422,
        en="{field}: {name!r} cannot be the name of a metric.",
        ko="{field}: {name!r}은(는) 지표 이름이 될 수 없습니다.",
        hint="Names have 1 to 500 characters without control characters; commas separate them.",
    ),
}
