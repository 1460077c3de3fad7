"""Small made-up inputs on which merging was once wrong, where they lie beside the checkout."""

from pathlib import Path

import pytest

from benchmark_manager.domain.merge import merge

CLEAN = ("renamed-documents", "same-name-other-namespace", "unnamed-list", "upstream-renamed-job")


def texts(shared_data: Path, fault: str) -> tuple[str, str, str]:
    folder = shared_data / "faults" / f"merge-{fault}"
    if not folder.is_dir():
        pytest.skip("these inputs are not beside this checkout")
    base, theirs, mine = (
        (folder / f"{name}.yaml").read_text("utf-8") for name in ("base", "theirs", "mine")
    )
    return base, theirs, mine


@pytest.mark.parametrize("fault", CLEAN)
def test_what_git_merges_cleanly_is_the_result(shared_data: Path, fault: str) -> None:
    found = merge(*texts(shared_data, fault), "yaml")
    expected = shared_data / "faults" / f"merge-{fault}" / "git-merge-file-result.yaml"
    assert (found.outcome, found.content) == ("text", expected.read_text("utf-8"))


def test_my_comment_at_a_changed_line_is_in_the_result(shared_data: Path) -> None:
    base, theirs, mine = texts(shared_data, "drops-comment-of-changed-line")
    assert merge(base, theirs, mine, "yaml").content == mine.replace("seqs: 256", "seqs: 512")
