"""Forms: read once, protected once, whatever route they are for."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from benchmark_manager.web import MAX_FORM
from benchmark_manager.web.site import csrf

#: A merge has three for each of its conflicts.
_MAX_FIELDS: Final = 3100
_MALFORMED: Final = 400


class ForgedFormError(Exception):
    """The form does not carry its browser's token: another site may have sent it."""


class UnreadableFormError(Exception):
    """The body is no form."""


class Form:
    """What was typed, field by field."""

    def __init__(self, data: FormData, files: Mapping[str, bytes] | None = None) -> None:
        self._data = data
        self._files = files or {}

    def file(self, name: str) -> bytes | None:
        """What a file holds that was chosen in the field; None where none was."""
        return self._files.get(name)

    def text(self, name: str) -> str:
        """The field as it came; empty if it is not there."""
        value = self._data.get(name)
        return value if isinstance(value, str) else ""

    def line(self, name: str) -> str:
        """The field of one line, without the spaces which pasting leaves around it."""
        return self.text(name).strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """The field as often as it came."""
        return tuple(value for value in self._data.getlist(name) if isinstance(value, str))

    def ticked(self, name: str) -> bool:
        return name in self._data

    def number(self, name: str) -> int | None:
        """A whole number in plain digits; None for anything else."""
        text = self.line(name)
        return (
            int(text)
            if text.isascii() and text.isdecimal() and len(text) < len(str(2**63))
            else None
        )


async def protected_form(request: Request) -> Form:
    """The form of a request, if a page of ours sent it; of a GET an empty one.

    Raises:
        ForgedFormError, UnreadableFormError
    """
    if request.method in {"GET", "HEAD"}:
        return Form(FormData())
    data = await _data(request)
    form = Form(data, await _files(data))
    # An error's page shows it again: what somebody typed must not be lost with the page that it was
    # typed into.
    request.state.typed = form.text("content")
    if not csrf.is_ours(request, form.text(csrf.FIELD) or request.headers.get(csrf.HEADER, "")):
        raise ForgedFormError
    return form


async def _data(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=MAX_FORM)
    except HTTPException as error:
        if error.status_code != _MALFORMED:
            raise
        raise UnreadableFormError from error


async def _files(data: FormData) -> dict[str, bytes]:
    """The files which were chosen; a browser sends a field without one as a file without a name."""
    found = {}
    for name, value in data.multi_items():
        if isinstance(value, UploadFile):
            content = await value.read()
            await value.close()
            if value.filename or content:
                found[name] = content
    return found


FormDependency = Annotated[Form, Depends(protected_form)]
