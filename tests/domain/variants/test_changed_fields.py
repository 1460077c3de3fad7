"""A record of a change names the fields that differ, and no value."""

from datetime import UTC, datetime
from typing import Any

import pytest

from benchmark_manager.domain.variants.edits import changed_fields
from benchmark_manager.models.variant import Variant

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
VARIANT = Variant(
    id="0" * 24,
    project_id="a" * 24,
    original_file_id="f" * 24,
    original_path="config/a.yaml",
    modified_name="mine.yaml",
    file_type="config",
    format="yaml",
    description="",
    base_sha="b" * 40,
    base_commit_sha="c" * 40,
    content_sha="d" * 40,
    content_sha256="d" * 64,
    size=7,
    revision=1,
    drift="current",
    validity="valid",
    problems=(),
    created_at=NOW,
    updated_at=NOW,
    created_by="ada",
    updated_by="ada",
)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, ()),
        ({"revision": 2, "updated_by": "kim", "drift": "behind"}, ()),
        ({"modified_name": "other.yaml"}, ("modified_name",)),
        ({"description": "secret"}, ("description",)),
        ({"content_sha": "e" * 40, "content_sha256": "e" * 64, "size": 8}, ("content",)),
        ({"base_sha": "e" * 40, "content_sha": "e" * 40}, ("content", "base")),
        ({"original_file_id": "e" * 24, "base_sha": "e" * 40}, ("base", "original_file_id")),
    ],
)
def test_only_fields_that_people_change_are_named(
    changes: dict[str, Any], fields: tuple[str, ...]
) -> None:
    assert changed_fields(VARIANT, VARIANT.model_copy(update=changes)) == fields
