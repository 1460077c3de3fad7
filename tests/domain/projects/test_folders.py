"""Folder paths: all forms of one folder become one text, and none leaves the repository."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.projects.folders import normalise_folder
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail

SEGMENTS = st.text(
    st.characters(exclude_characters="/\\", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1
)
FOLDERS = st.lists(SEGMENTS.filter(lambda s: s not in {".", ".."}), min_size=1, max_size=4).map(
    "/".join
)


@pytest.mark.parametrize("root", ["", ".", "/", "//", "/./"])
def test_the_root_is_the_empty_text(root: str) -> None:
    assert normalise_folder(root, field="config_folder") == ""


@pytest.mark.parametrize("written", ["a/b", "/a/b", "a/b/", "///a/b//"])
def test_outer_slashes_are_dropped(written: str) -> None:
    assert normalise_folder(written, field="config_folder") == "a/b"


@pytest.mark.parametrize(
    "folder",
    [
        *("..", "a/..", "../a", "a/../b", "/../", "a//b", "a/./b", "./a", "a/.", "a\\b", "\\"),
        *("a\x00", "a\nb", "a\x7f", "a\x85", "a\u2028b", "é" * 513),
    ],
)
def test_what_is_no_folder_of_a_repository_is_refused(folder: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        normalise_folder(folder, field="job_folder")
    assert (refused.value.code, refused.value.field) == ("invalid_folder", "job_folder")
    assert detail(refused.value).startswith("job_folder must ")


@pytest.mark.parametrize(
    "folder", ["...", "..a", ".github/jobs", "a b", " a", "ä/🚀", "é" * 512, "-", "a\u00a0b"]
)
def test_unusual_names_that_git_has_are_kept_as_they_are(folder: str) -> None:
    assert normalise_folder(folder, field="config_folder") == folder


@given(FOLDERS, st.text("/", max_size=2), st.text("/", max_size=2))
def test_every_path_of_ordinary_segments_is_accepted_whatever_slashes_surround_it(
    folder: str, before: str, after: str
) -> None:
    if len(folder.encode()) <= 1024:
        assert normalise_folder(before + folder + after, field="config_folder") == folder


@given(st.text(st.sampled_from("a./\\\n é\ud800")) | st.text())
def test_what_is_accepted_stays_as_it_is_and_leads_nowhere_else(text: str) -> None:
    try:
        folder = normalise_folder(text, field="config_folder")
    except InvalidInputError:
        return
    assert normalise_folder(folder, field="config_folder") == folder
    assert folder == "" or not {"", ".", ".."} & set(folder.split("/"))
