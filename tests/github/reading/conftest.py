"""A repository of two files."""

import pytest

from github_test_server import (
    Repository,
)
from support.small_repository import CONTENT


@pytest.fixture
def commit(repository: Repository) -> str:
    return repository.commit({"config/a.yaml": CONTENT, "job/b.yaml": b"kind: Job\n"})


@pytest.fixture
def tree(repository: Repository, commit: str) -> str:
    found = repository.find_tree(commit)
    assert found is not None
    return found
