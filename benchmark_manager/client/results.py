"""Results: files that benchmark tools wrote, bound to the digests that they ran on.

>>> from benchmark_manager.client import Results, connect
>>> with connect() as client:
...     results = Results(client)
...     result = results.upload(digest, Path("vllm.json").read_bytes(), "vllm.json")
...     table = results.table(result["project_id"], metrics=["ttft_p99"])
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from benchmark_manager.client import shapes
from benchmark_manager.client.client import Body, Client, Json, JsonValue, MultipartForm

Selected: TypeAlias = str | Sequence[str] | None
"""A part of what a table compares; a sequence is a list of texts."""

_CREATED: Final = 201
#: A text with one of these is quoted in a list.
_ODD: Final = frozenset(',"\r\n')


class Results:
    """The results of a service; each method sends one request, lists one for each page."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def upload(
        self,
        release: str,
        data: bytes,
        file_name: str,
        *,
        project_id: str | None = None,
        tool: str | None = None,
        labels: Mapping[str, str] | None = None,
        note: str = "",
        receipt: str | None = None,
    ) -> Json:
        """Upload a file, and return its result.

        It may be repeated: the same bytes for the same release are one result.

        Args:
            release: the digest that the tool ran on, or its first 12 digits.
            data: the file's exact bytes.
            file_name: without folders.
            project_id: needed where the release belongs to several projects.
            tool: that wrote the file; else the service recognises it.
            labels: of the environment, such as `{"gpu": "H100"}`.
            note: for people.
            receipt: a receipt's id; else the last receipt of the same token.
        """
        return self.uploaded(
            release,
            data,
            file_name,
            project_id=project_id,
            tool=tool,
            labels=labels,
            note=note,
            receipt=receipt,
        )[0]

    def uploaded(
        self,
        release: str,
        data: bytes,
        file_name: str,
        *,
        project_id: str | None = None,
        tool: str | None = None,
        labels: Mapping[str, str] | None = None,
        note: str = "",
        receipt: str | None = None,
    ) -> tuple[Json, bool]:
        """Upload a file as `upload` does, and return also whether its result is new."""
        fields = {
            "release": release,
            "file_name": file_name,
            "project_id": project_id,
            "tool": tool,
            "labels": json.dumps(dict(labels), ensure_ascii=False) if labels else None,
            "note": note,
            "receipt": receipt,
        }
        given = {name: text for name, text in fields.items() if text}
        # Not in the query: servers limit the length of addresses, and a note may be long.
        answer = self._client.send("POST", "/results", form=MultipartForm(given, file_name, data))
        return self._client.json(answer, shapes.RESULT), answer.status_code == _CREATED

    def of_project(
        self,
        project_id: str,
        *,
        release: str | None = None,
        sweep_id: str | None = None,
        cell: int | None = None,
        tool: str | None = None,
        labels: Mapping[str, str] | None = None,
        created_by: str | None = None,
        deleted: bool = False,
    ) -> Iterator[Json]:
        """Yield the results of a project that have all of these, newest first.

        With `deleted`, those in the trash, and not the others. `release` is a digest, or its first
        12 digits at least; `cell` needs `sweep_id`.
        """
        query: dict[str, Any] = {
            "release": release,
            "sweep": sweep_id,
            "cell": cell,
            "tool": tool,
            "created_by": created_by,
            "deleted": "true" if deleted else None,
            **{f"label.{name}": value for name, value in (labels or {}).items()},
        }
        return self._client.pages(_of_project(project_id), shapes.RESULT, **query)

    def get(self, result_id: str) -> Json:
        """Return a result."""
        found: Json = self._client.json(self._client.get(_path(result_id)), shapes.RESULT)
        return found

    def raw(self, result_id: str) -> AbstractContextManager[Body]:
        """Return a block's context in which the exact bytes of a result arrive."""
        return self._client.stream(f"{_path(result_id)}/raw")

    def update(
        self,
        result_id: str,
        *,
        labels: Mapping[str, str] | None = None,
        note: str | None = None,
        tool: str | None = None,
        revision: int | None = None,
    ) -> Json:
        """Change labels, note and tool, if the result is at this revision; None accepts any.

        What is None stays as it is. With another tool the file is read again; "" stands for the one
        that its content says.
        """
        given = {"labels": None if labels is None else dict(labels), "note": note, "tool": tool}
        body: dict[str, JsonValue] = {
            name: value for name, value in given.items() if value is not None
        }
        if tool == "":
            body["tool"] = None
        return self._sent("PUT", _path(result_id), body, revision=revision)

    def delete(self, result_id: str, *, revision: int | None = None) -> None:
        """Put a result into the trash."""
        self._client.send("DELETE", _path(result_id), if_match=_tag(revision))

    def undelete(self, result_id: str) -> Json:
        """Take a result out of the trash, and return it."""
        return self._sent("POST", f"{_path(result_id)}/undelete", None)

    def table(self, project_id: str, **selection: Selected) -> Json:
        """Return the results of releases side by side, one row for each release.

        Args:
            project_id: of the releases.
            selection: `sweep` or `releases`, `retired`, `metrics`, `baseline`, `point`, `group`
                and `pareto`, as the OpenAPI document describes them; lists are sequences of texts.
        """
        path = f"{_of_project(project_id)}/table"
        answer = self._client.get(path, **_selected(selection))
        found: Json = self._client.json(answer, shapes.RESULT_TABLE)
        return found

    def table_csv(self, project_id: str, **selection: Selected) -> bytes:
        """Return the same as CSV."""
        path = f"{_of_project(project_id)}/table"
        return self._client.get(path, **_selected(selection), format="csv").content

    def report(self, project_id: str, **selection: Selected) -> list[Json]:
        """Return the same results as llm-d Benchmark Reports, version 0.2."""
        path = f"{_of_project(project_id)}/report"
        answer = self._client.get(path, **_selected(selection), format="brv02")
        found: list[Json] = self._client.json(answer, [dict])
        return found

    def add_receipt(self, release: str, receipt: Mapping[str, JsonValue]) -> Json:
        """Record which files of a release a machine has, and return the receipt.

        `receipt` has `files` or `digest`, `node`, `image_id`, `gpus`, `driver` and `project_id`, as
        the OpenAPI document describes; all may be left out.
        """
        path = f"/releases/{quote(release, safe=':')}/receipts"
        answer = self._client.send("POST", path, body=receipt)
        found: Json = self._client.json(answer, shapes.NEW_RECEIPT)
        return found

    def receipt(self, receipt_id: str) -> Json:
        """Return a receipt."""
        answer = self._client.get(f"/receipts/{quote(receipt_id, safe='')}")
        found: Json = self._client.json(answer, shapes.NEW_RECEIPT)
        return found

    def _sent(
        self,
        method: str,
        path: str,
        body: Mapping[str, JsonValue] | None,
        *,
        revision: int | None = None,
    ) -> Json:
        answer = self._client.send(method, path, body=body, if_match=_tag(revision))
        found: Json = self._client.json(answer, shapes.RESULT)
        return found


def _selected(selection: Mapping[str, Selected]) -> dict[str, Any]:
    """Return the parameters of a query: lists are separated by commas."""
    return {
        name: value if value is None or isinstance(value, str) else _listed(value) or None
        for name, value in selection.items()
    }


def _listed(texts: Sequence[str]) -> str:
    """Return texts with commas between them; those that have one are quoted as in CSV."""
    quoted = ('"' + text.replace('"', '""') + '"' if _ODD & set(text) else text for text in texts)
    return ",".join(quoted)


def _of_project(project_id: str) -> str:
    return f"/projects/{quote(project_id, safe='')}/results"


def _path(result_id: str) -> str:
    return f"/results/{quote(result_id, safe='')}"


def _tag(revision: int | None) -> str | None:
    return None if revision is None else f'"{revision}"'
