from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from github_test_server import Entry, GitError, Repository
from support.stopwatch import Stopwatch

if TYPE_CHECKING:
    from pathlib import Path

Git = Callable[..., str]


def test_a_commit_holds_exactly_what_was_given(repository: Repository, git: Git) -> None:
    odd = {'a b/ü\n"q".yaml': b"\0\xff\r\n", "tab\there": b"", "back\\slash": b"x"}
    sha = repository.commit(odd, message="Odd")
    tree = repository.find_tree(sha)
    assert tree is not None
    entries = {path: repository.find_entry(tree, path.encode()) for path in odd}
    assert {
        path: entry and repository.read_blob(entry.sha) for path, entry in entries.items()
    } == odd
    assert git("rev-parse", "main") == sha
    assert git("fsck", "--strict") == ""


def test_a_path_need_not_be_utf8(repository: Repository) -> None:
    repository.commit({b"config/\xff.yaml": b"1"})
    tree = repository.find_tree("main")
    assert tree is not None
    assert repository.find_entry(tree, b"config/\xff.yaml") is not None


def test_modes_are_kept(repository: Repository, git: Git) -> None:
    sha = repository.commit({})
    repository.commit(
        {
            "run": Entry.executable(b"#!"),
            "link": Entry.symlink("README.md"),
            "module": Entry.submodule(sha),
        }
    )
    assert git("ls-tree", "main", "run", "link", "module").splitlines() == [
        f"120000 blob {git('rev-parse', 'main:link')}\tlink",
        f"160000 commit {sha}\tmodule",
        f"100755 blob {git('rev-parse', 'main:run')}\trun",
    ]


def test_none_deletes_a_file_or_a_folder(repository: Repository, git: Git) -> None:
    repository.commit({"config": None, "README.md": None})
    assert git("ls-tree", "-r", "--name-only", "main") == "job/run me.yaml"


def test_a_file_can_replace_a_folder(repository: Repository, git: Git) -> None:
    repository.commit({"config": b"now a file"})
    assert git("cat-file", "-p", "main:config") == "now a file"


def test_replace_all_leaves_nothing_else(repository: Repository, git: Git) -> None:
    repository.commit({"only": b"1"}, replace_all=True)
    assert git("ls-tree", "-r", "--name-only", "main") == "only"


def test_a_commit_elsewhere_than_on_the_head_is_a_force_push(
    repository: Repository, git: Git
) -> None:
    first = git("rev-parse", "main")
    repository.commit({"x": b"1"})
    forced = repository.commit({"y": b"2"}, parent=first)
    assert git("rev-parse", "main") == forced
    assert git("rev-list", "main").split() == [forced, first]


def test_branches_and_tags_come_and_go(repository: Repository, git: Git) -> None:
    sha = git("rev-parse", "main")
    other = repository.commit({"x": b"1"}, branch="feature/x")
    repository.tag("v1", sha)
    repository.tag("v2", sha, message="Annotated")
    assert repository.branches() == [("feature/x", other), ("main", sha)]
    assert git("cat-file", "-t", "v2") == "tag"
    found = repository.find_commit("v2")
    assert found is not None
    assert found.sha == sha
    repository.reset_branch("feature/x", sha)
    assert git("rev-parse", "feature/x") == sha
    repository.delete_branch("feature/x")
    assert repository.find_commit("feature/x") is None


def test_what_another_process_writes_is_seen(repository: Repository, git: Git) -> None:
    before = repository.find_commit("HEAD")
    tree = git("rev-parse", "HEAD^{tree}")
    sha = git(
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.invalid",
        "commit-tree",
        "-m",
        "Other",
        tree,
    )
    git("update-ref", "refs/heads/main", sha)
    git("gc", "--quiet", "--prune=now")
    after = repository.find_commit("HEAD")
    assert before is not None
    assert after is not None
    assert after.sha == sha != before.sha


def test_reading_survives_the_end_of_its_process(repository: Repository, git: Git) -> None:
    sha = repository.commit({"x": b"1"})
    # What is packed is read by a process.
    git("gc", "--quiet")
    repository.close()
    found = repository.find_commit(sha)
    assert found is not None
    process_id = repository.reader.process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    assert repository.find_commit(sha) == found


@pytest.mark.parametrize(
    "ref", ["", "main~1", "main^{tree}", ":/First", "main@{0}", "a b", "../x", "x\ny", "-x"]
)
def test_revision_syntax_is_no_ref(repository: Repository, ref: str) -> None:
    assert repository.find_commit(ref) is None


def test_a_failing_command_reports_the_reason(repository: Repository) -> None:
    with pytest.raises(GitError, match="update-ref"):
        repository.reset_branch("main", "no such commit")


def test_three_thousand_files_are_written_and_listed_within_seconds(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "large.git")
    files = {
        f"config/{number // 100}/{number}.yaml": b"n: %d\n" % number for number in range(3_000)
    }
    with Stopwatch() as watch:
        sha = repository.commit(files)
        tree = repository.find_tree(sha)
        assert tree is not None
        entries = repository.list_tree(tree, recursive=True)
        blobs = [entry for entry in entries if entry.type == "blob"]
        assert all(repository.read_blob(entry.sha) for entry in blobs)
    assert len(blobs) == 3_000
    assert watch.seconds < 3
    repository.close()
