"""The release procedure refuses what contradicts itself, and finds what belongs to a version."""

from pathlib import Path

import pytest

from tools.release import VERSIONED, ReleaseError, notes_of, version_of

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = """# Changelog

## [Unreleased]

- Later.

## [1.2.0] - 2026-12-24

- Sweeps.

## [1.1.0] - 2026-12-01

- Accounts.
"""


def copied(folder: Path) -> Path:
    """The files that name the version, in a folder of their own."""
    for name in VERSIONED:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def test_all_files_of_the_repository_name_one_version() -> None:
    assert version_of(ROOT)


@pytest.mark.parametrize("name", VERSIONED)
def test_a_file_with_another_version_is_refused(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    path = folder / name
    path.write_text(path.read_text("utf-8").replace(version_of(ROOT), "9.9.9"), "utf-8")
    with pytest.raises(ReleaseError, match=r"9\.9\.9"):
        version_of(folder)


@pytest.mark.parametrize("name", VERSIONED)
def test_a_file_without_a_version_is_refused(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    (folder / name).write_text("", "utf-8")
    with pytest.raises(ReleaseError, match=r"\?"):
        version_of(folder)


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    assert notes_of(CHANGELOG, "1.2.0") == "- Sweeps.\n"


def test_the_notes_of_the_first_release_end_with_the_file() -> None:
    assert notes_of(CHANGELOG, "1.1.0") == "- Accounts.\n"


@pytest.mark.parametrize("version", ["1.3.0", "1.2", "Unreleased"])
def test_a_version_without_a_dated_section_has_no_notes(version: str) -> None:
    assert notes_of(CHANGELOG, version) is None
