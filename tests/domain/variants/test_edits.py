"""Edits of variants: pure, and none counts a revision except the one that is for that."""

from datetime import UTC, datetime

import pytest

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.variants.edits import (
    CheckedContent,
    NewVariant,
    at_original,
    created,
    next_revision,
    reattached_to,
    rebased_on,
    renamed,
    restored,
    revision_kind,
    undeleted,
    with_content,
    with_verdict,
)
from benchmark_manager.errors import StaleError
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.problem import Problem, Verdict
from benchmark_manager.models.revision import Revision
from benchmark_manager.models.variant import Variant

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 5, 2, 12, tzinfo=UTC)
VALID = Verdict(validity="valid")
PROBLEM = Problem(severity="error", code="syntax", message="It does not parse.")


def original(**fields: object) -> OriginalFile:
    values = {
        "id": "f" * 24,
        "project_id": "a" * 24,
        "path": "config/a.yaml",
        "file_type": "config",
        "format": "yaml",
        "sha": "b" * 40,
        "size": 5,
        "commit_sha": "c" * 40,
        "last_modified": NOW,
        "synced_at": NOW,
        "removed_at": None,
        "validity": "valid",
        "problems": (),
    }
    return OriginalFile.model_validate({**values, **fields})


def content(digit: str = "d", verdict: Verdict = VALID) -> CheckedContent:
    return CheckedContent(sha=digit * 40, sha256=digit * 64, size=7, verdict=verdict)


def variant(base: OriginalFile | None = None) -> Variant:
    base = base or original()
    new = NewVariant("mine.yaml", "faster", content(), base, NOW, "ada")
    return created("1" * 24, new, base, "current")


def test_a_new_variant_has_the_text_that_was_read_as_base_and_its_originals_present_folder() -> (
    None
):
    read = original()
    held = original(path="jobs/b.yaml", file_type="job", sha="e" * 40)
    new = NewVariant("mine.yaml", "", content(), read, NOW, "ada")
    made = created("1" * 24, new, held, "behind")
    assert (made.base_sha, made.path, made.file_type) == (read.sha, "jobs/mine.yaml", "job")
    assert (made.revision, made.updated_by, made.updated_at) == (1, "ada", NOW)


def test_another_content_takes_its_verdict_along() -> None:
    bad = Verdict(validity="invalid", problems=(PROBLEM,))
    edited = with_content(variant(), content("e", bad))
    assert (edited.content_sha, edited.validity, edited.problems) == (
        "e" * 40,
        "invalid",
        (PROBLEM,),
    )


def test_another_verdict_refers_to_no_stored_problems() -> None:
    stored = variant().model_copy(update={"problems_id": "9" * 40})
    assert with_verdict(stored, VALID).problems_id is None


def test_a_rebase_takes_the_originals_text_and_commit_as_base() -> None:
    moved = original(sha="e" * 40, commit_sha="8" * 40)
    behind = variant().model_copy(update={"drift": "behind"})
    rebased = rebased_on(behind, moved, content("7"))
    assert (rebased.base_sha, rebased.base_commit_sha) == ("e" * 40, "8" * 40)
    assert (rebased.content_sha, rebased.drift) == ("7" * 40, "current")


def test_a_rebase_on_the_same_text_at_another_commit_changes_nothing() -> None:
    before = variant()
    assert rebased_on(before, original(commit_sha="8" * 40), content()) == before


def test_a_rebase_on_the_same_text_with_another_content_takes_the_commit() -> None:
    rebased = rebased_on(variant(), original(commit_sha="8" * 40), content("7"))
    assert rebased.base_commit_sha == "8" * 40


def test_a_reattached_variant_moves_to_the_folder_of_its_original_and_keeps_its_content() -> None:
    other = original(id="e" * 24, path="jobs/b.yaml", file_type="job", sha="e" * 40)
    attached = reattached_to(variant(), other)
    assert (attached.path, attached.file_type) == ("jobs/mine.yaml", "job")
    assert (attached.original_file_id, attached.base_sha) == ("e" * 24, "e" * 40)
    assert attached.content_sha == variant().content_sha


def test_a_restored_variant_has_the_state_of_one_revision_and_the_base_of_another() -> None:
    first = Revision.of(variant(), "created", at=NOW, by="ada")
    other = variant(original(sha="e" * 40, commit_sha="8" * 40))
    attachment = Revision.of(other, "reattached", at=LATER, by="ada")
    edited = renamed(with_content(variant(), content("7")), "other.yaml")
    back = restored(edited, first, base=attachment)
    assert (back.modified_name, back.content_sha) == ("mine.yaml", "d" * 40)
    assert (back.base_sha, back.base_commit_sha) == ("e" * 40, "8" * 40)


def test_a_variant_that_has_the_state_of_a_revision_is_equal_when_restored() -> None:
    before = variant()
    revision = Revision.of(before, "created", at=NOW, by="ada")
    assert restored(before, revision, base=revision) == before


def test_an_edit_is_the_next_revision_by_its_actor() -> None:
    after = next_revision(variant(), at=LATER, by="bob")
    assert (after.revision, after.updated_at, after.updated_by) == (2, LATER, "bob")
    assert (after.created_at, after.created_by) == (NOW, "ada")


def test_an_undeleted_variant_counts_its_deletion_too() -> None:
    assert undeleted(variant(), at=LATER, by="bob").revision == 3


@pytest.mark.parametrize("expected", [None, {1}, {1, 2}])
def test_an_expected_revision_is_accepted(expected: set[int] | None) -> None:
    expect_revision(variant(), expected)


@pytest.mark.parametrize("expected", [{2}, set()])
def test_another_revision_than_those_expected_is_refused(expected: set[int]) -> None:
    with pytest.raises(StaleError):
        expect_revision(variant(), expected)


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (renamed(variant(), "other.yaml"), "renamed"),
        (with_content(variant(), content("7")), "edited"),
        (with_content(renamed(variant(), "other.yaml"), content("7")), "edited"),
        (rebased_on(variant(), original(sha="e" * 40), content("7")), "rebased"),
        (reattached_to(variant(), original(id="e" * 24)), "reattached"),
        (at_original(variant(), original(path="jobs/a.yaml")), "edited"),
    ],
)
def test_the_kind_of_a_revision_follows_from_the_difference(after: Variant, kind: str) -> None:
    assert revision_kind(variant(), after) == kind
