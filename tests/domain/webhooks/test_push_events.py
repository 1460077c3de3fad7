"""What a push means: for which projects, and which it leaves alone. In doubt it is due."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.webhooks.push_events import (
    DEBOUNCE,
    changed_paths,
    due_after_push,
    meaning_of,
    parse_push,
    repository_of,
    touches,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail
from benchmark_manager.models.project import Project, Ref, RepositoryAddress, Source, SyncState
from benchmark_manager.models.push import Push, PushedCommit

Json = dict[str, Any]

API = "https://api.github.com"
BASES = (API, "https://ghe.example.com/api/v3")
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
BEFORE, AFTER, OTHER = "b" * 40, "a" * 40, "c" * 40
NAMES = st.sampled_from(
    ["config", "job", "configs", "config.yaml", "src", "a", "b", "README.md", "größe"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
FOLDERS = st.lists(NAMES, max_size=3).map("/".join)


def a_commit(sha: str | None = AFTER, *paths: str) -> PushedCommit:
    return PushedCommit(id=sha, paths=frozenset(paths or ("docs/a.md",)))


def a_push(**changes: Any) -> Push:
    values = {
        "addresses": (f"{API}/repos/acme/bench",),
        "default_branch": "main",
        "ref": "refs/heads/main",
        "before": BEFORE,
        "after": AFTER,
        "created": False,
        "deleted": False,
        "forced": False,
        "commits": (a_commit(),),
    }
    return Push(**{**values, **changes})


def a_project(
    *,
    branch: str | None = None,
    ref: Ref | None = None,
    state: dict[str, Any] | None = None,
    **changes: Any,
) -> Project:
    values = {
        "id": "65f0c0ffee65f0c0ffee65f0",
        "name": "x",
        "source": Source(
            repository=RepositoryAddress(api_url=API, owner="acme", name="bench"),
            ref=ref or (None if branch is None else Ref.of_branch(branch)),
            config_folder="config",
            job_folder="job",
        ),
        "polling_interval": 180,
        "created_at": NOW,
        "updated_at": NOW,
        "state": SyncState(
            **{"status": "ok", "head_sha": BEFORE, "resolved_branch": "main", **(state or {})}
        ),
    }
    return Project(**{**values, **changes})


# Which files a push changed


@given(st.lists(st.frozensets(PATHS, min_size=1, max_size=5), min_size=1, max_size=19))
def test_a_complete_list_has_every_path(listed: list[frozenset[str]]) -> None:
    ids = [OTHER] * (len(listed) - 1) + [AFTER]
    commits = tuple(
        PushedCommit(id=sha, paths=paths) for sha, paths in zip(ids, listed, strict=True)
    )
    assert changed_paths(a_push(commits=commits)) == frozenset[str]().union(*listed)


@pytest.mark.parametrize(
    "changes",
    [
        {"created": True},
        {"deleted": True},
        {"forced": True},
        {"commits": None},
        {"commits": ()},
        {"commits": (a_commit(),) * 20},
        {"commits": (a_commit(OTHER),)},
        {"commits": (a_commit(None),)},
        {"commits": (a_commit(AFTER), a_commit(OTHER))},
        {"commits": (PushedCommit(id=AFTER, paths=None),)},
        {"commits": (PushedCommit(id=AFTER, paths=frozenset()),)},
        {"commits": (PushedCommit(id=OTHER, paths=frozenset()), a_commit())},
        {"commits": (a_commit(AFTER, *(f"{n}.md" for n in range(3000))),)},
        {
            "commits": (
                a_commit(OTHER, *map(str, range(2000))),
                a_commit(AFTER, *map(str, range(1000))),
            )
        },
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_list_that_may_be_cut_has_no_known_paths(changes: dict[str, Any]) -> None:
    assert changed_paths(a_push(**changes)) is None
    assert touches(a_push(**changes), "config", "job")
    assert meaning_of(a_push(**changes), a_project(), NOW) == "due"


def test_lists_just_below_the_limits_are_complete() -> None:
    assert changed_paths(a_push(commits=(a_commit(OTHER),) * 18 + (a_commit(),))) is not None
    assert changed_paths(a_push(commits=(a_commit(AFTER, *map(str, range(2999))),))) is not None


@given(st.frozensets(PATHS, min_size=1, max_size=5), FOLDERS)
def test_a_push_touches_a_folder_when_a_path_lies_in_it(paths: frozenset[str], folder: str) -> None:
    """By segments, so that `configs/a` is not in `config`; the root holds everything."""
    push = a_push(commits=(PushedCommit(id=AFTER, paths=paths),))
    wanted = folder.split("/") if folder else []
    inside = any(path.split("/")[: len(wanted)] == wanted for path in paths)
    above = any(wanted[: len(path.split("/"))] == path.split("/") for path in paths)
    assert touches(push, folder) == (inside or above)


# What it means for a project


def test_a_push_to_the_branch_which_changes_a_folder_is_due() -> None:
    push = a_push(commits=(a_commit(AFTER, "job/run.yaml"),))
    assert meaning_of(push, a_project(), NOW) == "due"
    assert meaning_of(push, a_project(branch="main"), NOW) == "due"


@pytest.mark.parametrize(
    "ref", ["refs/heads/dev", "refs/heads/Main", "refs/heads/x/main", "refs/tags/main", "main", ""]
)
def test_other_branches_and_tags_are_elsewhere(ref: str) -> None:
    assert meaning_of(a_push(ref=ref), a_project(), NOW) == "elsewhere"
    assert meaning_of(a_push(ref=ref), a_project(branch="main"), NOW) == "elsewhere"


def test_a_branch_that_was_chosen_is_the_only_one() -> None:
    project = a_project(branch="release/2", state={"resolved_branch": "release/2"})
    assert meaning_of(a_push(ref="refs/heads/main"), project, NOW) == "elsewhere"
    push = a_push(ref="refs/heads/release/2", commits=(a_commit(AFTER, "config/a.yaml"),))
    assert meaning_of(push, project, NOW) == "due"


def test_the_default_branch_is_the_known_one_and_the_one_that_the_push_names() -> None:
    """If the default branch became another, a push to either makes a sync find that out."""
    unread = a_project(state={"resolved_branch": None, "head_sha": None, "status": "never"})
    assert meaning_of(a_push(), unread, NOW) == "due"
    assert meaning_of(a_push(default_branch=None), unread, NOW) == "elsewhere"
    moved = a_push(ref="refs/heads/trunk", default_branch="trunk")
    assert meaning_of(moved, a_project(), NOW) == "due"


def test_a_paused_project_is_left_alone() -> None:
    assert meaning_of(a_push(commits=None), a_project(paused=True), NOW) == "paused"


def test_a_commit_which_the_project_has_is_known() -> None:
    push = a_push(forced=True)
    assert meaning_of(push, a_project(state={"head_sha": AFTER}), NOW) == "known"


def test_a_known_commit_is_due_while_a_sync_may_have_read_another_one() -> None:
    state = {"head_sha": AFTER}
    running: Json = {"lease_owner": "x", "lease_until": NOW + timedelta(seconds=1)}
    assert meaning_of(a_push(forced=True), a_project(state=state, **running), NOW) == "due"
    assert (
        meaning_of(a_push(forced=True), a_project(state={**state, "status": "failing"}), NOW)
        == "due"
    )


def test_a_push_beside_the_folders_leaves_a_polled_project_alone() -> None:
    assert meaning_of(a_push(), a_project(), NOW) == "untouched"
    assert meaning_of(a_push(before=OTHER), a_project(), NOW) == "untouched"


def test_an_unpolled_project_is_left_alone_only_when_no_push_before_was_lost() -> None:
    unpolled: Json = {"polling_interval": 0}
    assert meaning_of(a_push(), a_project(**unpolled), NOW) == "untouched"
    assert meaning_of(a_push(before=OTHER), a_project(**unpolled), NOW) == "due"
    assert (
        meaning_of(a_push(before=OTHER), a_project(**unpolled, pushed_sha=OTHER), NOW)
        == "untouched"
    )
    failed = {"status": "unavailable"}
    assert meaning_of(a_push(), a_project(**unpolled, state=failed), NOW) == "due"


def test_a_project_which_was_never_read_is_due() -> None:
    unread = {"head_sha": None, "status": "never", "resolved_branch": None}
    assert meaning_of(a_push(), a_project(state=unread), NOW) == "due"
    assert meaning_of(a_push(), a_project(state=unread, branch="main"), NOW) == "due"


SHAS = st.sampled_from([BEFORE, AFTER, OTHER])


@given(
    before=SHAS,
    after=SHAS,
    head=SHAS,
    pushed=SHAS | st.none(),
    interval=st.sampled_from([0, 180]),
    status=st.sampled_from(["ok", "failing", "unavailable"]),
    paths=st.frozensets(PATHS, min_size=1, max_size=3),
)
def test_what_changes_a_folder_is_never_left_out(
    *,
    before: str,
    after: str,
    head: str,
    pushed: str | None,
    interval: int,
    status: Any,
    paths: frozenset[str],
) -> None:
    """Only when the project has that very commit, after a sync that went well."""
    push = a_push(before=before, after=after, commits=(PushedCommit(id=after, paths=paths),))
    state = {"head_sha": head, "status": status}
    meaning = meaning_of(
        push, a_project(state=state, pushed_sha=pushed, polling_interval=interval), NOW
    )
    if touches(push, "config", "job"):
        assert meaning == ("known" if after == head and status == "ok" else "due")
    elif meaning == "untouched" and interval == 0:
        assert before in {head, pushed}
        assert status == "ok"


# When


OFFSETS = st.integers(-10_000, 10_000).map(lambda number: NOW + timedelta(milliseconds=number))


@given(
    planned=OFFSETS | st.none(),
    trigger=st.sampled_from(["poll", "webhook", "manual"]),
    lease=OFFSETS | st.none(),
)
def test_a_push_never_puts_a_project_off(
    planned: datetime | None, trigger: Any, lease: datetime | None
) -> None:
    """It is due in a second at most; another push delays it only during a running sync."""
    project = a_project(next_poll_at=planned, due_trigger=trigger, lease_until=lease)
    when, by = due_after_push(project, NOW)
    assert when <= NOW + timedelta(seconds=DEBOUNCE)
    assert planned is None or when <= planned or (lease is not None and lease > NOW >= planned)
    assert by == ("manual" if trigger == "manual" and when == planned else "webhook")
    later = NOW + timedelta(milliseconds=400)
    queued = project.model_copy(update={"next_poll_at": when, "due_trigger": by})
    if when > later:
        assert due_after_push(queued, later) == (when, by)


# Reading payloads


def payload(**changes: Any) -> dict[str, object]:
    return {
        "ref": "refs/heads/main",
        "before": BEFORE,
        "after": AFTER,
        "repository": {"html_url": "https://github.com/acme/bench"},
        **changes,
    }


def test_a_commit_without_its_lists_is_not_complete() -> None:
    lists = {"id": AFTER, "added": ["a"], "removed": ["b"]}
    assert parse_push(payload(commits=[lists])).commits == (PushedCommit(id=AFTER, paths=None),)
    push = parse_push(payload(commits=[{**lists, "modified": ["c"]}]))
    assert changed_paths(push) == frozenset({"a", "b", "c"})


def test_zeros_mean_a_ref_that_was_created_or_deleted() -> None:
    assert parse_push(payload(before="0" * 40)).created
    assert parse_push(payload(after="0" * 64)).deleted


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ref": None}, "ref"),
        ({"ref": 7}, "ref"),
        ({"before": "x"}, "before"),
        ({"after": AFTER.upper()}, "after"),
        ({"after": f"{AFTER}\n"}, "after"),
        ({"repository": None}, "repository"),
        ({"repository": "acme/bench"}, "repository"),
        ({"repository": {"full_name": "acme/bench"}}, "repository"),
        ({"repository": {"html_url": ["x"]}}, "repository.html_url"),
        ({"commits": {}}, "commits"),
        ({"commits": [7]}, "commits"),
        ({"commits": [{"added": [7]}]}, "commits.added"),
        ({"forced": "yes"}, "forced"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_push(payload(**changes))
    assert caught.value.code == "malformed_webhook"
    assert named in detail(caught.value)
    # The two short ones are in words of the message too.
    values = {value for value in changes.values() if isinstance(value, str)} - {"x", "yes"}
    assert [value for value in values if value in detail(caught.value)] == []


FIELDS = st.sampled_from(
    ["ref", "before", "after", "repository", "commits", "id", "added", "url", "html_url"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(FIELDS, inner),
    max_leaves=20,
)


@given(ANYTHING)
def test_no_payload_raises_anything_else(value: Any) -> None:
    with contextlib.suppress(InvalidInputError):
        parse_push({**payload(), **(value if isinstance(value, dict) else {"repository": value})})


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ({"commits_url": f"{API}/repos/Acme/Bench/commits{{/sha}}"}, f"{API}/repos/acme/bench"),
        (
            {"trees_url": f"{BASES[1]}/repos/acme/bench/git/trees{{/sha}}"},
            f"{BASES[1]}/repos/acme/bench",
        ),
        ({"hooks_url": f"{API}/repos/acme/hooks/hooks"}, f"{API}/repos/acme/hooks"),
        ({"url": "https://github.com/acme/bench"}, f"{API}/repos/acme/bench"),
        ({"html_url": "https://ghe.example.com/acme/bench"}, f"{BASES[1]}/repos/acme/bench"),
        ({"clone_url": "https://github.com/acme/bench.git"}, f"{API}/repos/acme/bench"),
        ({"commits_url": "https://api.other.com/repos/acme/bench/commits{/sha}"}, None),
        (
            {
                "commits_url": "https://api.other.com/repos/acme/bench/commits{/sha}",
                "html_url": "https://github.com/acme/bench",
            },
            None,
        ),
        ({"html_url": "https://github.com.other.com/acme/bench"}, None),
        ({"html_url": "acme/bench"}, None),
        ({"html_url": "https://github.com/acme"}, None),
        ({"html_url": "https://user:pass@github.com/acme/bench"}, None),
        ({"html_url": "https://[/acme/bench"}, None),
    ],
)
def test_a_repository_is_found_by_its_host_and_name(
    repository: dict[str, str], expected: str | None
) -> None:
    found = repository_of(parse_push(payload(repository=repository)), BASES)
    assert (None if found is None else found.key) == expected
