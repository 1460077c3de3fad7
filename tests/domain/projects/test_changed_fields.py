"""A record of a change names the settings that differ, and no value."""

from typing import Any

import pytest

from benchmark_manager.domain.projects.edits import changed_fields
from benchmark_manager.factory import utc_now
from benchmark_manager.models.project import Project, Ref, RepositoryAddress, Source

REPOSITORY = RepositoryAddress(api_url="https://api.github.com", owner="acme", name="bench")
PROJECT = Project(
    id="0" * 24,
    name="one",
    source=Source(repository=REPOSITORY, config_folder="config", job_folder="job"),
    polling_interval=0,
    created_at=utc_now(),
    updated_at=utc_now(),
)


def changed(source: dict[str, Any], **project: Any) -> tuple[str, ...]:
    after = PROJECT.source.model_copy(update={**source, "version": 2})
    update = {**project, "source": after, "revision": 2}
    return changed_fields(PROJECT, PROJECT.model_copy(update=update))


def test_a_new_name_is_one_field() -> None:
    assert changed({}, name="two") == ("name",)


def test_pausing_is_one_field() -> None:
    assert changed({}, paused=True, next_poll_at=None) == ("paused",)


def test_a_token_is_named_and_not_shown() -> None:
    secret = {"encrypted_token": "bound:secret", "token_fingerprint": "1234"}
    assert changed(secret) == ("github_token",)


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ({"repository": REPOSITORY.model_copy(update={"name": "other"})}, "github_repo_url"),
        ({"ref": Ref(kind="tag", name="v1")}, "ref"),
        ({"config_folder": "c"}, "config_folder"),
        ({"job_folder": "j"}, "job_folder"),
        ({"include": ("*.yaml",)}, "include"),
        ({"exclude": ("*.yaml",)}, "exclude"),
    ],
)
def test_a_setting_of_the_source_has_the_name_of_the_api(
    source: dict[str, Any], field: str
) -> None:
    assert changed(source) == (field,)


def test_several_fields_are_all_named() -> None:
    assert changed({"job_folder": "j"}, name="two", polling_interval=60) == (
        "name",
        "polling_interval",
        "job_folder",
    )
