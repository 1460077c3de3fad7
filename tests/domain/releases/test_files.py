"""Which files a release holds."""

from datetime import UTC, datetime
from typing import Any

import pytest

from benchmark_manager.domain.releases.comparison import compared
from benchmark_manager.domain.releases.files import chosen, with_sums
from benchmark_manager.domain.releases.substitutes import substitutes_of
from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.variant import Variant

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SHARED: dict[str, Any] = {"project_id": "p", "file_type": "config", "format": "yaml", "size": 1}


def original(path: str) -> OriginalFile:
    return OriginalFile(
        **_SHARED,
        id=f"o:{path}",
        path=path,
        sha=f"blob of {path}",
        commit_sha="commit",
        last_modified=NOW,
        synced_at=NOW,
        removed_at=None,
        validity="valid",
        problems=(),
    )


def modified(path: str, file_id: str) -> Variant:
    return Variant(
        **_SHARED,
        id=file_id,
        original_file_id="o",
        original_path=f"{path}.original",
        modified_name=path.rpartition("/")[2],
        description="",
        base_sha="base",
        base_commit_sha="base commit",
        content_sha=f"variant at {path}",
        content_sha256="2" * 64,
        revision=4,
        drift="current",
        validity="valid",
        problems=(),
        created_at=NOW,
        updated_at=NOW,
        created_by="ada",
        updated_by="ada",
    )


ORIGINALS = [original("config/a.yaml"), original("config/b.yaml")]
MODIFIED = [modified("config/a.yaml", "aaa"), modified("config/c.yaml", "ccc")]


@pytest.mark.parametrize(
    ("contents", "ids", "expected"),
    [
        (
            "all",
            None,
            ["variant at config/a.yaml", "blob of config/b.yaml", "variant at config/c.yaml"],
        ),
        ("originals", None, ["blob of config/a.yaml", "blob of config/b.yaml"]),
        ("modified", None, ["variant at config/a.yaml", "variant at config/c.yaml"]),
        (
            "all",
            ["CCC", "ccc"],
            ["blob of config/a.yaml", "blob of config/b.yaml", "variant at config/c.yaml"],
        ),
        ("all", [], ["blob of config/a.yaml", "blob of config/b.yaml"]),
        ("modified", ["aaa"], ["variant at config/a.yaml"]),
        ("modified", [], []),
    ],
)
def test_a_variant_replaces_an_original_of_its_path_or_is_added(
    contents: Any, ids: list[str] | None, expected: list[str]
) -> None:
    originals, variants = chosen(ORIGINALS, MODIFIED, contents, ids)
    files = with_sums(originals, variants, {file.sha: "1" * 64 for file in ORIGINALS})
    assert [file.sha for file in files] == expected


def test_each_file_has_its_origin() -> None:
    variant, own, _ = with_sums(
        *chosen(ORIGINALS, MODIFIED, "all", None), {"blob of config/b.yaml": "1" * 64}
    )
    assert (variant.source, variant.original_sha, variant.commit_sha) == (
        "modified",
        "base",
        "base commit",
    )
    assert (variant.modified_file_id, variant.revision, variant.sha256) == ("aaa", 4, "2" * 64)
    assert (own.source, own.original_sha, own.commit_sha) == (
        "original",
        "blob of config/b.yaml",
        "commit",
    )
    assert (own.modified_file_id, own.revision, own.sha256) == (None, None, "1" * 64)


def test_files_are_sorted_by_the_bytes_of_their_paths() -> None:
    paths = ["Z", "a b", "a-b", "a.b", "a/b", "ab", "é", "\uffff", "\U00010000"]
    files = with_sums(
        [original(path) for path in reversed(paths)], {}, {f"blob of {p}": "1" * 64 for p in paths}
    )
    assert [file.path for file in files] == paths


A, B = "config/a.yaml", "config/b.yaml"
#: Variants of these originals, and another whose own path is that of an original.
OF_A, OTHER_OF_A, OF_B, AT_A = (
    modified(path, file_id).model_copy(update={"original_file_id": f"o:{of}", "original_path": of})
    for path, file_id, of in (
        ("config/mine.yaml", "aaa", A),
        ("config/other.yaml", "bbb", A),
        ("config/b-2.yaml", "ccc", B),
        (A, "ddd", B),
    )
)
VARIANTS = [OF_A, OTHER_OF_A, OF_B, AT_A]


@pytest.mark.parametrize(
    ("contents", "ids", "others"),
    [
        ("all", None, [OTHER_OF_A, OF_B]),
        ("all", [], []),
        ("all", ["aaa", "bbb"], [OTHER_OF_A]),
        ("originals", None, []),
    ],
)
def test_a_substitute_stands_at_its_originals_path_and_not_at_its_own(
    contents: Any, ids: list[str] | None, others: list[Variant]
) -> None:
    """Whatever else is taken, and though another variant has that path."""
    kept, variants = chosen(ORIGINALS, VARIANTS, contents, ids, {A: "AAA"})
    assert [file.path for file in kept] == [B]
    assert variants == {A: OF_A, **{file.path: file for file in others}}
    [file, *_] = with_sums(kept, variants, {f"blob of {B}": "1" * 64})
    assert (file.path, file.sha, file.source) == (A, OF_A.content_sha, "modified")
    assert (file.modified_file_id, file.revision) == ("aaa", 4)


def test_a_release_of_variants_has_substitutes_too() -> None:
    assert chosen(ORIGINALS, VARIANTS, "modified", [], {B: "ccc"}) == ([], {B: OF_B})


@pytest.mark.parametrize(
    ("substitutes", "kind", "code", "facts"),
    [
        ({"config/none.yaml": "aaa"}, NotFoundError, "file_not_found", "config/none.yaml"),
        ({A: "zzz"}, NotFoundError, "modified_file_not_found", "zzz"),
        ({B: "aaa"}, InvalidInputError, "substitute_mismatch", "aaa"),
    ],
)
def test_a_substitute_needs_an_original_of_its_own(
    substitutes: dict[str, str],
    kind: type[NotFoundError] | type[InvalidInputError],
    code: str,
    facts: str,
) -> None:
    with pytest.raises(kind) as raised:
        chosen(ORIGINALS, VARIANTS, "all", None, substitutes)
    assert (raised.value.code, raised.value.facts["id"]) == (code, facts)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        (["a.yaml=1", "b=c.yaml=2", "a.yaml=1"], {"a.yaml": "1", "b=c.yaml": "2"}),
        (["=", "x="], {"": "", "x": ""}),
        ([], {}),
    ],
)
def test_the_last_equals_sign_separates_path_and_id(
    pairs: list[str], expected: dict[str, str]
) -> None:
    assert substitutes_of(pairs) == expected


@pytest.mark.parametrize("pairs", [["a.yaml"], ["a.yaml=1", "a.yaml=2"]])
def test_a_pair_without_it_or_a_second_variant_for_a_path_is_refused(pairs: list[str]) -> None:
    with pytest.raises(InvalidInputError) as raised:
        substitutes_of(pairs)
    assert (raised.value.code, raised.value.field) == ("invalid_request", "substitutes")


def test_an_unknown_variant_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="'zzz'"):
        chosen(ORIGINALS, MODIFIED, "all", ["aaa", "zzz"])


def test_originals_alone_cannot_be_limited_to_variants() -> None:
    with pytest.raises(InvalidInputError) as raised:
        chosen(ORIGINALS, MODIFIED, "originals", [])
    assert (raised.value.code, raised.value.field) == ("invalid_request", "variant_ids")


def test_no_file_stands_where_another_needs_a_folder() -> None:
    """A variant outlives its original: meanwhile upstream may put a file where its folder was."""
    variants = [modified("config/a.yaml/deep/old.yaml", "old")]
    with pytest.raises(InvalidInputError) as raised:
        chosen(ORIGINALS, variants, "all", None)
    assert raised.value.code == "path_clash"
    assert chosen(ORIGINALS, variants, "all", []) == (ORIGINALS, {})
    assert chosen(ORIGINALS, variants, "modified", None) == (
        [],
        {variants[0].path: variants[0]},
    )


def test_a_comparison_names_what_came_went_and_changed() -> None:
    before = with_sums(
        [original(p) for p in ("a", "b", "c")], {}, {f"blob of {p}": p * 64 for p in "abc"}
    )
    after = with_sums(
        [original(p) for p in ("b", "c", "d")],
        {},
        {f"blob of {p}": p * 64 for p in "bd"} | {"blob of c": "0" * 64},
    )
    added, removed, changed = compared(before, after)
    assert (added, removed) == (("d",), ("a",))
    assert [(old.sha256[0], new.sha256[0]) for old, new in changed] == [("c", "0")]
    assert compared(after, after) == ((), (), ())
