"""Edits of projects refuse what a person typed, by the name of the field it was typed into."""

import pytest

from benchmark_manager.domain.projects.edits import with_settings
from benchmark_manager.domain.projects.settings import ProjectSettings
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages.rendering import detail, words
from benchmark_manager.models.project import RepositoryAddress, Source


def test_a_refused_folder_of_an_address_is_the_addresss_fault() -> None:
    repository = RepositoryAddress(api_url="https://api.github.com", owner="acme", name="bench")
    source = Source(repository=repository, config_folder="config", job_folder="jobs")
    with pytest.raises(InvalidInputError) as refused:
        with_settings(source, ProjectSettings(), None, "a/../b")
    assert detail(refused.value).startswith("github_repo_url must not leave the repository")
    assert words(refused.value, "en").startswith("The address must not leave the repository")
