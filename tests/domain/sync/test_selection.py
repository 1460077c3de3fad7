"""Which entries of a listing are listed although they can be no originals."""

import pytest

from benchmark_manager.domain.sync.selection import Selection


@pytest.mark.parametrize("folder", ["config", "job"])
@pytest.mark.parametrize(
    ("name", "listed"),
    [
        *(
            ("shared", True),
            ("v1.2", True),
            ("llama-3.1", True),
            (".hidden", True),
            ("run.json", True),
        ),
        *(("run.yaml", True), ("notes.md", False), ("run.v2.sh", False), ("logo.PNG", False)),
    ],
)
def test_a_link_that_may_stand_for_a_folder_or_an_original_is_listed(
    folder: str, name: str, *, listed: bool
) -> None:
    belonging = Selection("config", "job").belonging(f"{folder}/{name}", "120000")
    assert (belonging is not None) is listed


@pytest.mark.parametrize("name", ["shared", "v1.2", "llama.cpp"])
def test_a_submodule_is_listed_whatever_its_name(name: str) -> None:
    assert Selection("config", "job").belonging(f"job/{name}", "160000") == "link"


def test_links_outside_of_both_folders_are_of_no_interest() -> None:
    assert Selection("config", "job").belonging("docs/v1.2", "120000") is None
