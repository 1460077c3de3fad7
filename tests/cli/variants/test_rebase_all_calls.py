"""The variants that `variants rebase-all` sends again."""

from collections.abc import Sequence

from benchmark_manager.cli.variants.rebase_all import until_none_is_left
from support.service import Json


def answer(rebased: Sequence[str], busy: Sequence[str] = (), left: Sequence[str] = ()) -> Json:
    failed = [{"id": name, "code": "service_busy", "detail": "…"} for name in busy]
    return {
        "rebased": [*rebased],
        "conflicts": [],
        "unchanged": [],
        "failed": failed,
        "left": [*left],
    }


def test_variants_that_are_left_or_met_busy_workers_are_sent_again() -> None:
    chosen = [{"id": str(number)} for number in range(269)]
    sent: list[str] = []

    def send(some: Sequence[Json]) -> Json:
        ids = [row["id"] for row in some]
        is_busy = ids[0] not in sent and int(ids[0]) % 2 == 0 and len(ids) > 1
        sent.extend(ids[:15])
        return answer(ids[1:15], ids[:1], ids[15:]) if is_busy else answer(ids[:15], (), ids[15:])

    found = list(until_none_is_left(chosen, send))
    assert sorted(int(name) for each in found for name in each["rebased"]) == list(range(269))
    assert [each["failed"] + each["left"] for each in found] == [[]] * len(found)


def test_a_call_without_progress_is_the_last() -> None:
    chosen = [{"id": str(number)} for number in range(3)]
    answers = iter([answer(["0"], (), ["1", "2"]), answer([], ["1"], ["2"])])
    found = list(until_none_is_left(chosen, lambda _: next(answers)))
    assert [each["left"] for each in found] == [[], ["2", "1"]]
    assert [each["failed"] for each in found] == [[], []]
