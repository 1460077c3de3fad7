"""A record of a change of a release names the fields that differ, and no value."""

from datetime import UTC, datetime

from benchmark_manager.domain.releases.edits import changed_fields, edited_release
from benchmark_manager.models.release import Release

RELEASE = Release(
    digest="sha256:" + "a" * 64,
    name="first",
    description="",
    pinned=False,
    revision=1,
    project_id="a" * 24,
    project_ids=("a" * 24,),
    created_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
    created_by="ada",
    files_count=1,
    size=7,
    makings_count=1,
    provenance="b" * 64,
)


def test_the_fields_that_differ_are_named() -> None:
    after = edited_release(RELEASE, name="other", description=None, pinned=True)
    assert changed_fields(RELEASE, after) == ("name", "pinned")


def test_nothing_is_named_where_nothing_differs() -> None:
    after = edited_release(RELEASE, name="first", description="", pinned=None)
    assert changed_fields(RELEASE, after) == ()
