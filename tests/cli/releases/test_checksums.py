"""SHA256SUMS: written as the service writes it, and read without a path that leaves the folder."""

import hashlib
import os
from collections.abc import Container
from contextlib import suppress
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.client import ClientError
from benchmark_manager.client.errors import ReleaseContentError
from benchmark_manager.client.sha256sums import (
    is_inside,
    read_sums,
    write_sums,
)
from benchmark_manager.domain.releases.digest import sums_text
from benchmark_manager.models.release import ReleaseFile


def _needs_folder_at(path: str, files: Container[str]) -> bool:
    """Return whether one of `files` is a folder of the path, as in no release."""
    return any(str(folder) in files for folder in PurePosixPath(path).parents)


parts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda part: part not in {".", ".."})
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
sums_of = st.dictionaries(
    paths, st.binary(max_size=4).map(lambda data: hashlib.sha256(data).hexdigest()), max_size=8
).filter(lambda files: not any(_needs_folder_at(path, files) for path in files))


@given(sums_of)
def test_sums_are_written_as_the_service_writes_them_and_read_back(files: dict[str, str]) -> None:
    rows = [
        ReleaseFile(
            path=path,
            sha="",
            sha256=sha256,
            size=0,
            source="original",
            original_sha="",
            commit_sha="",
        )
        for path, sha256 in files.items()
    ]
    sums = write_sums(files)
    assert sums == sums_text(rows)
    assert read_sums(sums) == {
        path.encode(): bytes.fromhex(sha256) for path, sha256 in files.items()
    }


def test_sums_of_a_file_and_of_another_below_it_are_refused() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    with pytest.raises(ReleaseContentError, match="needs a folder where a file is"):
        read_sums(write_sums({"0": digest, "0/0": digest}))


@given(st.binary(max_size=200) | st.text(alphabet="0a \\\n/.nrx*", max_size=200).map(str.encode))
def test_other_texts_are_refused_and_paths_stay_inside(data: bytes) -> None:
    line = hashlib.sha256(b"").hexdigest().encode() + b"  " + data + b"\n"
    files: list[bytes] = []
    for sums in (data, line, b"\\" + line):
        with suppress(ClientError):
            files += read_sums(sums)
    assert [path for path in files if os.path.normpath(b"/r/" + path) != b"/r/" + path] == []


@pytest.mark.parametrize(
    "path",
    [
        "a\\..\\..\\x",
        "C:x",
        "a.yaml:stream",
        "nul",
        "a/COM1.yaml",
        "aux .json",
        "a./b",
        "a /b",
        "a?b",
    ],
)
def test_on_windows_other_separators_drives_and_devices_are_refused(path: str) -> None:
    assert (is_inside(path, windows=True), is_inside(path, windows=False)) == (False, True)


@pytest.mark.parametrize("path", ["null.yaml", "com.yaml", "a b/c", ".a", "config/größe.yaml"])
def test_on_windows_other_paths_are_accepted(path: str) -> None:
    assert is_inside(path, windows=True)
