"""Many digests from one list of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.releases.derived import BaseList, with_replacements
from benchmark_manager.domain.releases.digest import provenance_id, release_digest
from support.cells import a_file

#: As it was computed before there were sweeps.
EARLIER = "ec622ad31a3075dfd132c8ee7777409024153494614a6955f945b3f0ae5d52be"
PATHS = ["a.yaml", "a/b.yaml", "new\nline.yaml", "größe.yaml", "é/x.yaml", "z.yaml"]


@given(st.lists(st.sampled_from(PATHS), unique=True, min_size=1), st.data())
def test_derived_digests_equal_those_of_whole_lists(paths: list[str], data: st.DataObject) -> None:
    base = BaseList(files := [a_file(path, path) for path in paths])
    expected, found = [], []
    for chosen in data.draw(st.lists(st.sets(st.sampled_from(paths)), min_size=1, max_size=3)):
        replacements = [
            a_file(path, f"other {path}", sweep_id="s", assignments={"größe": [1, None]})
            for path in chosen
        ]
        whole = with_replacements(files, replacements)
        size = sum(file.size for file in whole)
        expected.append((release_digest(whole), provenance_id(whole), len(whole), size))
        derived = base.with_replacements(replacements)
        found.append((derived.digest, derived.provenance, derived.files_count, derived.size))
    assert found == expected


def test_a_replacement_needs_a_file_at_its_path() -> None:
    with pytest.raises(KeyError):
        BaseList([a_file("a.yaml", "a")]).with_replacements([a_file("b.yaml", "b")])


def test_files_without_a_sweep_keep_the_provenance_that_earlier_versions_gave_them() -> None:
    files = [a_file("a.yaml", "a: 1\n"), a_file("é.yaml", "b", modified_file_id="m", revision=2)]
    assert provenance_id(files) == EARLIER
