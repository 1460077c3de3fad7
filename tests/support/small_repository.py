"""A repository of two files, for tests of the client, and the error of a refused request."""

from collections.abc import Awaitable
from typing import Any

import pytest

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.errors import (
    GitHubError,
)

CONTENT = b"model: llama\nbatch: 8\n"


BLOB = blob_id(CONTENT)


TOKEN = "ghp_test"


async def refused(asking: Awaitable[Any]) -> GitHubError:
    with pytest.raises(GitHubError) as error:
        await asking
    return error.value
