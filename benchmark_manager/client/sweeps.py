"""Sweeps: one set of files, and a release of it for each combination of values.

>>> from benchmark_manager.client import Sweeps, connect
>>> with connect() as client:
...     sweeps = Sweeps(client)
...     sweep = sweeps.create(project_id, definition)
...     for cell in sweeps.cells(sweep["id"], axes={"seqs": 256}):
...         print(cell["index"], cell["digest"])
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from benchmark_manager.client import shapes
from benchmark_manager.client.client import Client, Json, JsonValue


class Sweeps:
    """The sweeps of a service; each method sends one request, lists one for each page."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, project_id: str, definition: Mapping[str, JsonValue]) -> Json:
        """Make a sweep, and return it."""
        return self._sent("POST", _of_project(project_id), shapes.SWEEP, definition)

    def preview(self, project_id: str, definition: Mapping[str, JsonValue]) -> Json:
        """Return what a sweep would be, with its first cells under `cells`; nothing is stored."""
        path = f"{_of_project(project_id)}?dry_run=true"
        return self._sent("POST", path, shapes.SWEEP_PREVIEW, definition)

    def import_definition(self, project_id: str, request: Mapping[str, JsonValue]) -> Json:
        """Return `definition` and `notes` for another tool's sweep; nothing is stored.

        `request` has `format`, `text`, `files` and `targets`, as the OpenAPI document describes.
        """
        path = f"{_of_project(project_id)}/import"
        return self._sent("POST", path, shapes.IMPORTED_SWEEP, request)

    def of_project(self, project_id: str) -> Iterator[Json]:
        """Yield the sweeps of a project, newest first."""
        return self._client.pages(_of_project(project_id), shapes.SWEEP)

    def get(self, sweep_id: str) -> Json:
        """Return a sweep."""
        return self._read(_path(sweep_id), shapes.SWEEP)

    def cells(
        self,
        sweep_id: str,
        *,
        axes: Mapping[str, JsonValue] | None = None,
        retired: bool = False,
    ) -> Iterator[Json]:
        """Yield cells by index: those in which these axes have these values.

        With `retired`, only the retired ones; else only the others.
        """
        query: dict[str, Any] = {
            f"axis.{name}": json.dumps(value) for name, value in (axes or {}).items()
        }
        query["retired"] = "true" if retired else "false"
        path = f"{_path(sweep_id)}/cells"
        return self._client.pages(path, shapes.CELL, **query)

    def cell(self, sweep_id: str, index: int) -> Json:
        """Return one cell, with its `changes` and a patch, `unified`."""
        return self._read(f"{_path(sweep_id)}/cells/{index}", shapes.CELL_DETAIL)

    def update(
        self, sweep_id: str, definition: Mapping[str, JsonValue], *, revision: int | None = None
    ) -> Json:
        """Give a sweep another definition, if it is at this revision; None accepts any."""
        return self._sent("PUT", _path(sweep_id), shapes.SWEEP, definition, revision=revision)

    def rebase(self, sweep_id: str, *, revision: int | None = None) -> Json:
        """Make a sweep's cells from the files as they are now."""
        path = f"{_path(sweep_id)}/rebase"
        return self._sent("POST", path, shapes.SWEEP, None, revision=revision)

    def delete(self, sweep_id: str, *, revision: int | None = None) -> None:
        """Delete a sweep."""
        self._client.send("DELETE", _path(sweep_id), if_match=_tag(revision))

    def _read(self, path: str, shape: shapes.Shape) -> Json:
        found: Json = self._client.json(self._client.get(path), shape)
        return found

    def _sent(
        self,
        method: str,
        path: str,
        shape: shapes.Shape,
        body: Mapping[str, JsonValue] | None,
        *,
        revision: int | None = None,
    ) -> Json:
        answer = self._client.send(method, path, body=body, if_match=_tag(revision))
        found: Json = self._client.json(answer, shape)
        return found


def _of_project(project_id: str) -> str:
    return f"/projects/{quote(project_id, safe='')}/sweeps"


def _path(sweep_id: str) -> str:
    return f"/sweeps/{quote(sweep_id, safe='')}"


def _tag(revision: int | None) -> str | None:
    return None if revision is None else f'"{revision}"'
