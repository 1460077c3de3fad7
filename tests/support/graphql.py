"""Queries to the GraphQL of our own GitHub, as a person with a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

Ask = Callable[..., "Answers"]

SECRET = {"Authorization": "Bearer secret"}


class Answers(dict[str, Any]):
    """The JSON of an answer, with its response."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(response.json())
        self.response = response

    @property
    def demo(self) -> dict[str, Any]:
        found: dict[str, Any] = self["data"]["repository"]
        return found


def of_demo(fields: str) -> str:
    """Return a query for fields of the repository octo/demo."""
    return f'query {{ repository(owner: "octo", name: "demo") {{ {fields} }} }}'
