"""Blob ids are git's own."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.git_objects import blob_id, is_object_id

CONTENTS = [b"", b"a", b"a: 1\n", b"\xef\xbb\xbfa: 1\r\n", b"\x00\xff\xfe", bytes(range(256)) * 1000, "é🚀".encode()]


def test_ids_agree_with_git_hash_object(tmp_path: Path) -> None:
    paths = []
    for number, content in enumerate(CONTENTS):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(content)
    git = subprocess.run(
        ["git", "hash-object", "--no-filters", "--stdin-paths"],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [blob_id(content) for content in CONTENTS] == git.stdout.split()


@given(st.binary())
def test_an_id_is_an_object_id_and_tells_the_length_too(data: bytes) -> None:
    assert is_object_id(blob_id(data))
    assert blob_id(data) == hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
    assert blob_id(data + b"\x00") != blob_id(data)


@pytest.mark.parametrize(
    "text", ["", "a" * 39, "a" * 41, "A" * 40, "g" * 40, "a" * 40 + "\n", " " + "a" * 39, "\u0661" * 40]
)
def test_only_40_lower_case_hex_digits_are_an_object_id(text: str) -> None:
    assert not is_object_id(text)
