"""Comparing what is stored with a complete listing."""

from collections import Counter
from collections.abc import Iterable
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.sync.tree_changes import (
    StoredFile,
    TreeChanges,
    UpstreamFile,
    compare,
    without_renames,
)
from benchmark_manager.models.original import FileFormat, FileType
from support.examples import EXAMPLES

# Few paths and fewer contents, so that examples are full of renames, swaps and returns.
PATHS = st.sampled_from(
    [
        f"{folder}{name}"
        for folder in ("", "a/", "b/", "a/b/")
        for name in ("x.yaml", "y.YML", "z.json")
    ]
)
SHAS = st.sampled_from(["1" * 40, "2" * 40, "3" * 40])
TYPES: st.SearchStrategy[FileType] = st.sampled_from(["config", "job"])


def format_of(path: str) -> FileFormat:
    return "json" if path.lower().endswith(".json") else "yaml"


@st.composite
def stored_files(draw: st.DrawFn) -> list[StoredFile]:
    rows = draw(st.dictionaries(PATHS, st.tuples(SHAS, TYPES, st.booleans())))
    return [
        StoredFile(f"id{number}", path, sha, kind, removed)
        for number, (path, (sha, kind, removed)) in enumerate(rows.items())
    ]


LISTINGS = st.dictionaries(PATHS, st.tuples(SHAS, TYPES)).map(
    lambda rows: {
        path: UpstreamFile(path, sha, 1, kind, format_of(path))
        for path, (sha, kind) in rows.items()
    }
)


def applied(
    stored: Iterable[StoredFile], changes: TreeChanges
) -> dict[str, tuple[str, str, FileType]]:
    """(id, sha, type) by path of the files afterwards; each change must find its file."""
    rows = {f.id: f for f in stored}
    present = {f.id: (f.path, f.sha, f.file_type) for f in rows.values() if not f.removed}
    for old in changes.removed:
        del present[old.id]
    changed = (*changes.updated, *changes.moved)
    assert {old.id for old, _ in changed} <= present.keys()
    assert [old for old, _ in changes.revived if not rows[old.id].removed] == []
    for old, new in (*changed, *changes.revived):
        present[old.id] = new.path, new.sha, new.file_type
    for number, new in enumerate(changes.added):
        present[f"new{number}"] = new.path, new.sha, new.file_type
    assert len({path for path, _, _ in present.values()}) == len(present)
    return {path: (key, sha, kind) for key, (path, sha, kind) in present.items()}


@settings(max_examples=EXAMPLES)
@given(stored_files(), LISTINGS)
def test_applying_the_changes_gives_exactly_what_is_upstream(
    stored: list[StoredFile], upstream: dict[str, UpstreamFile]
) -> None:
    after = applied(stored, compare(stored, upstream))
    assert {path: row[1:] for path, row in after.items()} == {
        p: (f.sha, f.file_type) for p, f in upstream.items()
    }


@settings(max_examples=EXAMPLES)
@given(stored_files(), LISTINGS)
def test_no_stored_file_is_changed_twice_and_none_is_forgotten(
    stored: list[StoredFile], upstream: dict[str, UpstreamFile]
) -> None:
    changes = compare(stored, upstream)
    changed = [old.id for old, _ in (*changes.updated, *changes.moved, *changes.revived)] + [
        f.id for f in changes.removed
    ]
    assert max(Counter(changed).values(), default=1) == 1
    present = [f for f in stored if not f.removed]
    assert len(present) == changes.unchanged + len(changes.updated) + len(changes.moved) + len(
        changes.removed
    )
    assert len(upstream) == (
        changes.unchanged
        + sum(map(len, (changes.updated, changes.moved, changes.revived, changes.added)))
    )


@settings(max_examples=EXAMPLES)
@given(stored_files(), LISTINGS)
def test_a_rename_keeps_content_and_format_and_leaves_no_pair_behind(
    stored: list[StoredFile], upstream: dict[str, UpstreamFile]
) -> None:
    changes = compare(stored, upstream)
    kept = [(old.sha, format_of(old.path)) for old, _ in changes.moved]
    assert kept == [(new.sha, format_of(new.path)) for _, new in changes.moved]
    assert not {old.path for old, _ in changes.moved} & upstream.keys()
    left = {(f.sha, format_of(f.path)) for f in changes.removed}
    assert not left & {(f.sha, f.format) for f in changes.added}


@given(stored_files(), LISTINGS, st.sets(st.integers(0, 12).map("id{}".format)))
def test_renames_split_into_removals_and_additions_lead_to_the_same_files(
    stored: list[StoredFile], upstream: dict[str, UpstreamFile], ids: set[str]
) -> None:
    changes = compare(stored, upstream)
    apart = without_renames(changes, ids)
    assert not ids & {old.id for old, _ in apart.moved}
    assert {p: row[1:] for p, row in applied(stored, apart).items()} == {
        p: row[1:] for p, row in applied(stored, changes).items()
    }
    assert bool(apart) == bool(changes)


@given(stored_files())
def test_what_is_upstream_already_changes_nothing(stored: list[StoredFile]) -> None:
    present = {
        f.path: UpstreamFile(f.path, f.sha, 1, f.file_type, format_of(f.path))
        for f in stored
        if not f.removed
    }
    changes = compare(stored, present)
    assert not changes
    assert changes.unchanged == len(present)


@given(stored_files(), LISTINGS)
def test_the_order_of_files_does_not_matter(
    stored: list[StoredFile], upstream: dict[str, UpstreamFile]
) -> None:
    forwards = compare(stored, upstream)
    backwards = compare(stored[::-1], dict(reversed(upstream.items())))
    assert applied(stored, forwards).items() == applied(stored, backwards).items()


def new(path: str, sha: str = "1" * 40) -> UpstreamFile:
    return UpstreamFile(path, sha, 1, "config", format_of(path))


def old(path: str, sha: str = "1" * 40, *, removed: bool = False) -> StoredFile:
    return StoredFile(f"id of {path}", path, sha, "config", removed)


def moves(changes: TreeChanges) -> dict[str, str]:
    return {before.path: after.path for before, after in changes.moved}


def test_equal_files_of_a_moved_folder_are_paired_by_their_names() -> None:
    stored = [old("a/1.yaml"), old("a/2.yaml"), old("a/3.yaml")]
    upstream = [new("b/3.yaml"), new("b/2.yaml"), new("b/9.yaml")]
    changes = compare(stored, {f.path: f for f in upstream})
    assert moves(changes) == {
        "a/1.yaml": "b/9.yaml",
        "a/2.yaml": "b/2.yaml",
        "a/3.yaml": "b/3.yaml",
    }


def test_a_copy_is_no_rename() -> None:
    changes = compare([old("a.yaml")], {"a.yaml": new("a.yaml"), "b.yaml": new("b.yaml")})
    assert (changes.moved, [f.path for f in changes.added], changes.unchanged) == (
        (),
        ["b.yaml"],
        1,
    )


def test_two_files_which_swap_their_contents_are_updates() -> None:
    stored = [old("a.yaml", "1" * 40), old("b.yaml", "2" * 40)]
    changes = compare(
        stored, {"a.yaml": new("a.yaml", "2" * 40), "b.yaml": new("b.yaml", "1" * 40)}
    )
    assert (len(changes.updated), changes.moved) == (2, ())


def test_a_changed_ending_is_no_rename_when_it_changes_the_format() -> None:
    assert moves(compare([old("a.yaml")], {"a.yml": new("a.yml")})) == {"a.yaml": "a.yml"}
    changes = compare([old("a.json")], {"a.yaml": new("a.yaml")})
    assert (changes.moved, len(changes.added), len(changes.removed)) == ((), 1, 1)


def test_a_path_which_comes_back_is_the_file_that_it_was() -> None:
    stored = [old("a.yaml", "9" * 40, removed=True), old("b.yaml")]
    changes = compare(stored, {"a.yaml": new("a.yaml")})
    assert [(before.id, after.sha) for before, after in changes.revived] == [
        ("id of a.yaml", "1" * 40)
    ]
    assert ([f.path for f in changes.removed], changes.moved) == (["b.yaml"], ())


def test_a_changed_type_alone_is_an_update() -> None:
    job = UpstreamFile("a.yaml", "1" * 40, 1, "job", "yaml")
    assert len(compare([old("a.yaml")], {"a.yaml": job}).updated) == 1


class CountedText(str):
    """A text which counts how often it is compared, hashed or taken apart."""

    __slots__ = ()
    uses = count()

    def __eq__(self, other: object) -> bool:
        next(self.uses)
        return super().__eq__(other)

    def __hash__(self) -> int:
        next(self.uses)
        return super().__hash__()

    def rpartition(self, separator: str, /) -> tuple[str, str, str]:
        next(self.uses)
        return super().rpartition(separator)


def uses_of_a_renaming(number: int) -> int:
    """How often texts are used to compare this many renamed files of one content."""
    sha = "1" * 40
    stored = [
        StoredFile(str(n), CountedText(f"config/a{n}.yaml"), CountedText(sha), "config")
        for n in range(number)
    ]
    upstream: dict[str, UpstreamFile] = {
        path: UpstreamFile(path, CountedText(sha), 1, "config", "yaml")
        for path in (CountedText(f"config/b{n}.yaml") for n in range(number))
    }
    begin = next(CountedText.uses)
    assert len(compare(stored, upstream).moved) == number
    return next(CountedText.uses) - begin


def test_many_renames_of_one_content_cost_in_proportion_to_their_number() -> None:
    assert uses_of_a_renaming(2000) < 2.5 * uses_of_a_renaming(1000)
