"""The table of an original's variants, joined from comparisons of each."""

from benchmark_manager.domain.documents import compare_three_ways
from benchmark_manager.domain.variants.table import JoinedRows, joined_rows, names_items_alike

ORIGINAL = "a: 2\nb: 2\nc: 2\n"
POSITIONS = {"a": 0, "b": 1, "c": 2}
ALL = slice(None)


def joined(wanted: slice, **variants: tuple[str | None, str]) -> JoinedRows:
    """Join the comparisons of variants, which are given as base and text by their ids."""
    found = {
        key: compare_three_ways(ORIGINAL, base, [text], "yaml")[0]
        for key, (base, text) in variants.items()
    }
    return joined_rows(
        POSITIONS, {key: rows for key, rows in found.items() if rows is not None}, wanted
    )


def test_each_variant_is_held_against_its_own_base() -> None:
    found = joined(
        ALL,
        old=("a: 1\nb: 2\nc: 2\n", "a: 1\nb: 2\nc: 2\n"),
        older=("a: 0\nb: 2\nc: 2\n", "a: 1\nb: 2\nc: 2\n"),
        new=(None, "a: 2\nb: 3\nc: 2\nd: 1\n"),
        same=("a: 0\nb: 2\nc: 2\n", ORIGINAL),
    )
    assert [(row.path, dict(row.bases), dict(row.kinds)) for row in found.rows] == [
        (
            "a",
            {"old": (1,), "older": (0,), "new": (2,), "same": (0,)},
            {"old": "upstream", "older": "both", "same": "both"},
        ),
        ("b", dict.fromkeys(("old", "older", "new", "same"), (2,)), {"new": "mine"}),
        ("d", dict.fromkeys(("old", "older", "new", "same")), {"new": "mine"}),
    ]
    assert [row.differing for row in found.rows] == [{"old", "older"}, {"new"}, {"new"}]


def test_what_variant_and_upstream_changed_alike_is_no_row() -> None:
    found = joined(ALL, agreed=("a: 1\nb: 2\nc: 2\n", ORIGINAL), same=(None, ORIGINAL))
    assert (found.rows, found.total, dict(found.agreeing)) == ((), 0, {"agreed": ("a",)})


def test_a_variant_without_a_readable_base_has_values_only() -> None:
    found = joined(ALL, lost=("a: [\n", "a: 1\nb: 2\nc: 2\n"))
    [row] = found.rows
    assert (dict(row.values), row.differing) == ({"lost": (1,)}, frozenset({"lost"}))
    assert not row.bases
    assert not row.kinds
    assert found.without_base == {"lost"}


def test_a_part_of_the_rows_counts_all() -> None:
    found = joined(slice(1, 2), own=(None, "a: 1\nb: 1\nc: 1\n"))
    assert ([row.path for row in found.rows], found.total) == (["b"], 3)


def test_an_item_that_lost_its_name_asks_for_a_comparison_of_all() -> None:
    original = "l: [{name: p, v: 1}]\n"
    positions = {"l[name=p].name": 0, "l[name=p].v": 1}
    texts = ["l: [{name: p, v: 2}]\n", "l: [{v: 1}]\n"]
    found = compare_three_ways(original, None, texts, "yaml")
    alike, other = ({"it": rows} for rows in found if rows is not None)
    assert names_items_alike(positions, alike)
    assert not names_items_alike(positions, other)
