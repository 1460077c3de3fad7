"""Counts of the files that folders would give a project, by names, sizes and modes."""

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.sync.classification import candidate, skip_reason_of_entry
from benchmark_manager.domain.sync.folder_counts import (
    MOST_FOLDERS,
    FolderCounts,
    count_selected,
    suggests_job,
)
from benchmark_manager.domain.sync.selection import Selection
from support.stalls import is_within

FILE, LINK = "100644", "120000"
NAMES = st.sampled_from(["config", "job", "a", "b.yaml", "c.yml", "d.json", "e.md", "run-job.yaml"])
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)


@dataclass(frozen=True)
class ListedEntry:
    path: str
    mode: str = FILE
    size: int | None = 10


ENTRIES = st.lists(
    st.builds(
        ListedEntry,
        PATHS,
        st.sampled_from([FILE, LINK, "160000", "040000"]),
        st.sampled_from([1, 2000, None]),
    ),
    max_size=20,
    unique_by=lambda entry: entry.path,
)


def counted(*entries: ListedEntry) -> FolderCounts:
    counts = FolderCounts(1000)
    counts.add(entries)
    return counts


@given(ENTRIES, st.sampled_from(["", "config", "job", "a", "a/config"]))
def test_each_folder_counts_what_a_sync_of_it_would_copy_and_skip(
    entries: list[ListedEntry], folder: str
) -> None:
    shown, _ = counted(*entries).folders()
    row = next((row for row in shown if row.path == folder), None)
    wanted = [e for e in entries if candidate(e.path, e.mode, folder, "no/such/folder") is not None]
    skipped = [
        e for e in wanted if skip_reason_of_entry(e.mode, e.size, 1000, path=e.path) is not None
    ]
    assert (
        (row.as_config.copied, row.as_config.skipped) == (len(wanted) - len(skipped), len(skipped))
        if row
        else (wanted == [])
    )


@given(ENTRIES)
def test_what_is_suggested_exists_unless_there_is_nothing(entries: list[ListedEntry]) -> None:
    counts = counted(*entries)
    shown, _ = counts.folders()
    config, job = counts.suggest("config", "job")
    if shown:
        assert {config, job} <= {row.path for row in shown}
    assert count_selected(entries, Selection(config, job), 1000).config_folder == config


@pytest.mark.parametrize(
    ("paths", "suggested"),
    [
        (["config/a.yaml", "job/b.yaml"], ("config", "job")),
        (["configs/a.yaml", "k8s/b.yaml"], ("configs", "k8s")),
        (["x/config/a.yaml", "x/jobs/b.yaml"], ("x/config", "x/jobs")),
        (["bench/a.yaml", "bench/b.yaml", "docs/c.yaml"], ("bench", "bench")),
        (["a.yaml", "b.json"], ("", "")),
        ([".github/workflows/ci.yml", "bench/a.yaml"], ("bench", "bench")),
        (["job/notes.json", "manifests/a.yaml", "config/a.yaml"], ("config", "manifests")),
        ([], ("", "")),
    ],
)
def test_folders_are_suggested_by_name_then_by_number(
    paths: list[str], suggested: tuple[str, str]
) -> None:
    assert counted(*map(ListedEntry, paths)).suggest("config", "job") == suggested


@pytest.mark.parametrize(
    "path",
    ["jobs/a.yaml", "x/k8s/a.yml", "run-job.yaml", "cronjob.yaml", "vllm.pod.yaml", "job1.yaml"],
)
def test_names_suggest_jobs(path: str) -> None:
    assert suggests_job(path)


@pytest.mark.parametrize(
    "path", ["a.yaml", "jobless.yaml", "podcast/a.yaml", "config/vllm.yaml", "a-job"]
)
def test_other_names_do_not(path: str) -> None:
    assert not suggests_job(path)


def test_of_many_folders_those_near_the_root_are_shown() -> None:
    shown, more = counted(
        *(ListedEntry(f"f{number:04}/deep/a.yaml") for number in range(300))
    ).folders()
    assert (len(shown), more) == (MOST_FOLDERS, True)
    assert {row.path.count("/") for row in shown} == {0}


def test_deep_paths_cost_no_more_than_their_length() -> None:
    """GitHub's longest listing, of names with 2,000 segments each."""
    entries = [ListedEntry("a/" * 2000 + f"{number}.yaml") for number in range(1700)] + [
        ListedEntry("a" * 201 + "/b.yaml")
    ]
    begin = time.process_time()
    shown, _ = counted(*entries).folders()
    assert is_within(time.process_time() - begin, 2)
    assert len(shown) == 11
