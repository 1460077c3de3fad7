"""Read uploads of results: multipart forms, or a file as the whole body."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from benchmark_manager.domain.http.form_charsets import is_utf8_form
from benchmark_manager.domain.results.fields import read_labels
from benchmark_manager.errors import InvalidInputError, NotFoundError, RequestError
from benchmark_manager.models.record import words_of
from benchmark_manager.models.result import KnownTool, ResultUpload

#: What a file may be uploaded with.
FIELDS: Final = (
    *("release", "run", "project_id", "file_name", "tool", "labels", "note", "receipt"),
)
TOOLS: Final[frozenset[str]] = words_of(KnownTool)
_FORM: Final = "multipart/form-data"
_FILE: Final = "file"
#: Bytes of a field: fifty labels in which every character is escaped.
_LONGEST_FIELD: Final = 512 * 1024
_UNNAMED: Final = "result"


async def read_upload(request: Request) -> ResultUpload:
    """Return what a request uploads.

    Raises:
        RequestError: `malformed_form`.
        InvalidInputError: `invalid_request`, `invalid_labels`.
        NotFoundError: `run_not_found`.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if media_type == _FORM:
            return await _of_form(request)
        data = await request.body()
    except ClientDisconnect:
        # The client has left and reads no answer.
        raise HTTPException(400) from None
    return _upload(_fields(request.query_params.multi_items()), data, "")


class _WholeForm(MultiPartParser):
    """A form, and whether its closing boundary came: a cut one lacks its last fields."""

    ended = False

    def on_end(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Close all files, also one whose end did not come."""
        for file in self._files_to_close_on_error:
            file.close()


async def _of_form(request: Request) -> ResultUpload:
    if not is_utf8_form(request.headers.get("content-type", "")):
        raise RequestError("malformed_form")
    parser = _WholeForm(
        request.headers,
        request.stream(),
        max_files=1,
        max_fields=len(FIELDS),
        max_part_size=_LONGEST_FIELD,
    )
    try:
        form = await parser.parse()
    except MultiPartException:
        raise RequestError("malformed_form") from None
    try:
        if not parser.ended:
            raise RequestError("malformed_form")
        return await _of_fields(form, request.query_params.multi_items())
    finally:
        parser.close()


async def _of_fields(form: FormData, in_query: list[tuple[str, str]]) -> ResultUpload:
    texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    files = {name: value for name, value in form.multi_items() if isinstance(value, UploadFile)}
    if files.keys() != {_FILE}:
        raise InvalidInputError("invalid_request", "file_missing", field=_FILE)
    file = files[_FILE]
    fields = _fields([*texts, *in_query])
    return _upload(fields, await file.read(), file.filename or "")


def _fields(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the fields by name.

    Raises:
        InvalidInputError: `invalid_request`, one is unknown, or there twice.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in FIELDS:
            raise InvalidInputError(
                "invalid_request", "unknown_field", field=name[:100], names=FIELDS
            )
        if name in found:
            raise InvalidInputError("invalid_request", "field_twice", field=name)
        found[name] = value
    return found


def _upload(fields: Mapping[str, str], data: bytes, file_name: str) -> ResultUpload:
    """Return the upload of these fields; one that is empty counts as not given."""
    given = {name: value for name, value in fields.items() if value}
    if "run" in given:
        raise NotFoundError("run", given["run"])
    if "release" not in given:
        raise InvalidInputError("invalid_request", "release_or_run", field="release")
    tool = given.get("tool")
    if tool is not None and tool not in TOOLS:
        raise InvalidInputError(
            "invalid_request", "word_expected", field="tool", names=tuple(sorted(TOOLS))
        )
    return ResultUpload(
        release=given["release"],
        project_id=given.get("project_id"),
        file_name=given.get("file_name", file_name) or _UNNAMED,
        data=data,
        tool=tool,
        labels=read_labels(given["labels"]) if "labels" in given else {},
        note=given.get("note", ""),
        receipt_id=given.get("receipt"),
    )
