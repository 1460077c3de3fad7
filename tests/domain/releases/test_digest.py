"""A release's digest is what coreutils would say."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.releases.digest import (
    digest_digits,
    is_whole,
    provenance_id,
    release_digest,
    sums_text,
)
from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.release import ReleaseFile

ODD_NAMES = (
    *(
        "plain.yaml",
        "a b.yaml",
        " lead.yaml",
        "back\\slash.yaml",
        "new\nline.yaml",
        "carriage\rreturn.yaml",
    ),
    *(
        "both\\\n\r.yaml",
        "größe 🚀.yaml",
        "e\u0301.yaml",
        "é.yaml",
        "-dash.yaml",
        "*star.yaml",
        "tab\t.yaml",
    ),
    *("sub/a.yaml", "sub-a.yaml", "sub.yaml", "Z.yaml", "\uffff.yaml", "\U00010000.yaml"),
)
SHA = "0" * 40


def file(path: str, data: bytes = b"x", **changes: object) -> ReleaseFile:
    values = {
        "path": path,
        "sha": SHA,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "source": "original",
        "original_sha": SHA,
        "commit_sha": SHA,
        **changes,
    }
    return ReleaseFile.model_validate(values)


def test_the_text_is_what_sha256sum_prints(tmp_path: Path) -> None:
    """Also for names which it escapes; `-c` accepts it, and finds a file that was changed."""
    for name in ODD_NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    text = sums_text([file(name, name.encode()) for name in reversed(ODD_NAMES)])
    ordered = sorted(ODD_NAMES, key=str.encode)
    printed = subprocess.run(
        ["sha256sum", "--", *ordered], cwd=tmp_path, capture_output=True, check=True
    )
    assert text == printed.stdout
    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "-"],
        check=False,
        cwd=tmp_path,
        input=text,
        capture_output=True,
    )
    assert (checked.returncode, checked.stdout.count(b": OK")) == (0, len(ODD_NAMES)), (
        checked.stderr
    )
    (tmp_path / "back\\slash.yaml").write_bytes(b"changed")
    checked = subprocess.run(
        ["sha256sum", "-c", "-"], check=False, cwd=tmp_path, input=text, capture_output=True
    )
    assert checked.returncode == 1


def test_the_digest_is_the_sha_256_of_that_text() -> None:
    files = [file("a.yaml", b"1"), file("b.yaml", b"2")]
    assert release_digest(files) == "sha256:" + hashlib.sha256(sums_text(files)).hexdigest()
    assert release_digest(reversed(files)) == release_digest(files)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        unique=True,
    )
)
def test_no_two_sets_of_names_have_one_text(names: list[str]) -> None:
    """Each line can be read back: nothing in a name ends it early."""
    lines = sums_text([file(name) for name in names]).decode().split("\n")
    assert lines.pop() == ""
    back = []
    for line in lines:
        escaped = line.startswith("\\")
        name = line.removeprefix("\\")[66:]
        if escaped:
            marks = {"n": "\n", "r": "\r", "\\": "\\"}
            parts = name.split("\\\\")
            name = "\\".join(
                part.replace("\\n", marks["n"]).replace("\\r", marks["r"]) for part in parts
            )
        back.append(name)
    assert back == sorted(names, key=str.encode)


@pytest.mark.parametrize(
    "changes",
    [
        {"commit_sha": "1" * 40},
        {"source": "modified", "modified_file_id": "f" * 24, "revision": 3},
    ],
    ids=["another commit", "a variant"],
)
def test_origins_make_the_provenance_and_not_the_digest(changes: dict[str, Any]) -> None:
    one, other = [file("a.yaml")], [file("a.yaml", **changes)]
    assert release_digest(other) == release_digest(one)
    assert provenance_id(other) != provenance_id(one)


@pytest.mark.parametrize("other", [file("b.yaml"), file("a.yaml", b"y")], ids=["path", "content"])
def test_contents_and_paths_make_the_digest(other: ReleaseFile) -> None:
    assert release_digest([other]) != release_digest([file("a.yaml")])


DIGITS = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "reference", [DIGITS, f"sha256:{DIGITS}", DIGITS.upper()], ids=["plain", "named", "capitals"]
)
def test_a_release_is_asked_for_by_its_digits(reference: str) -> None:
    assert digest_digits(reference) == DIGITS
    assert is_whole(reference)


def test_a_release_is_asked_for_by_the_beginning_of_its_digits() -> None:
    assert digest_digits(DIGITS[:12]) == DIGITS[:12]
    assert not is_whole(DIGITS[:63])


@pytest.mark.parametrize("reference", ["0", "sha256:0", "abcdef01234"])
def test_fewer_digits_than_12_are_too_few(reference: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        digest_digits(reference)
    assert (raised.value.code, raised.value.field) == ("digest_too_short", "digest")


@pytest.mark.parametrize(
    "reference", ["", "sha256:", "x" * 64, "0" * 65, "md5:" + "0" * 64, "0" * 63 + "٣", " " * 64]
)
def test_what_is_no_digest_belongs_to_nothing(reference: str) -> None:
    with pytest.raises(NotFoundError):
        digest_digits(reference)
