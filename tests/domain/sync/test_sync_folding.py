"""Unchanged polls in a row are one record, for at most a day."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.sync.record_folding import LONGEST, fold_target, folded
from benchmark_manager.models.sync import GitHubUsage, Sync, SyncSummary

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
IDS = st.text("0123456789abcdef", min_size=24, max_size=24)
SYNCS = st.builds(
    Sync,
    id=IDS,
    project_id=st.just("5" * 24),
    trigger=st.sampled_from(["manual", "poll", "webhook"]),
    status=st.sampled_from(["success", "unchanged", "failed"]),
    started_at=st.integers(-200_000, 200_000).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    finished_at=st.just(NOW + timedelta(days=3)),
    duration_ms=st.integers(0, 10**6),
    commit_sha=st.sampled_from(["1" * 40, "2" * 40]),
    previous_commit_sha=st.none(),
    synced_files=st.just(7),
    message=st.sampled_from(
        ["7 files in place: nothing changed.", "7 files in place: nothing changed; 1 skipped."]
    ),
    repeated=st.integers(0, 500),
    github=st.builds(GitHubUsage, requests=st.integers(0, 9), points_used=st.integers(0, 9)),
)
POLL = Sync(
    id="a" * 24,
    project_id="5" * 24,
    trigger="poll",
    status="unchanged",
    started_at=NOW,
    finished_at=NOW + timedelta(seconds=1),
    duration_ms=1000,
    commit_sha="1" * 40,
    previous_commit_sha="1" * 40,
    synced_files=7,
    message="7 files in place: nothing changed.",
    github=GitHubUsage(requests=1, points_used=0, rate_limit_remaining=4999),
)


def later(sync: Sync, seconds: float, number: int = 0) -> Sync:
    start = sync.started_at + timedelta(seconds=seconds)
    return sync.model_copy(
        update={
            "id": f"{number:024x}",
            "started_at": start,
            "finished_at": start + timedelta(seconds=2),
        }
    )


@given(SYNCS, SYNCS)
def test_only_polls_which_found_the_same_are_folded_and_only_within_a_day(
    previous: Sync, sync: Sync
) -> None:
    same = (previous.commit_sha, previous.message) == (sync.commit_sha, sync.message)
    polls = {previous.trigger, sync.trigger} == {"poll"}
    unchanged = {previous.status, sync.status} == {"unchanged"}
    within = timedelta() <= sync.started_at - previous.started_at < timedelta(hours=24)
    expected = previous.id if same and polls and unchanged and within else None
    assert fold_target(SyncSummary.of(previous), sync) == expected


@given(SYNCS)
def test_what_has_no_predecessor_is_a_record_of_its_own(sync: Sync) -> None:
    assert fold_target(None, sync) is None


@given(SYNCS, SYNCS)
def test_a_folded_sync_differs_by_key_start_and_count_alone(previous: Sync, sync: Sync) -> None:
    result = folded(SyncSummary.of(previous), sync)
    changed = {
        "id": previous.id,
        "started_at": previous.started_at,
        "repeated": previous.repeated + 1,
    }
    assert result == sync.model_copy(update=changed)


@given(st.lists(st.floats(10, 200_000), max_size=50))
def test_a_chain_of_polls_makes_records_shorter_than_a_day_which_miss_none(
    pauses: list[float],
) -> None:
    records = [POLL]
    sync = POLL
    folds: list[tuple[Sync, Sync]] = []
    for number, seconds in enumerate(pauses):
        sync = later(sync, seconds, number)
        last = SyncSummary.of(records[-1])
        if fold_target(last, sync) is None:
            records.append(sync)
        else:
            records[-1] = folded(last, sync)
            folds.append((sync, records[-1]))
    assert [fold for fold in folds if fold[0].started_at - fold[1].started_at >= LONGEST] == []
    assert [record.finished_at for _, record in folds] == [sync.finished_at for sync, _ in folds]
    assert sum(1 + record.repeated for record in records) == 1 + len(pauses)
    starts = [record.started_at for record in records]
    assert starts == sorted(starts)


def test_the_day_counts_from_the_first_poll_not_from_the_last() -> None:
    day = 86_400.0
    half = folded(SyncSummary.of(POLL), later(POLL, day / 2))
    assert fold_target(SyncSummary.of(half), later(POLL, day - 1)) == POLL.id
    assert fold_target(SyncSummary.of(half), later(POLL, day)) is None


def test_a_clock_which_was_set_back_folds_nothing() -> None:
    assert fold_target(SyncSummary.of(POLL), later(POLL, -1)) is None
