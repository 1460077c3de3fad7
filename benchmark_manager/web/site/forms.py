"""Reading of forms and their protection, for all routes."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from benchmark_manager.domain.http.form_charsets import is_utf8_form
from benchmark_manager.web import MAX_FORM
from benchmark_manager.web.site import csrf

#: The form of a merge has three fields for each conflict.
_MAX_FIELDS: Final = 3100
_MALFORMED: Final = 400


class ForgedFormError(Exception):
    """The form does not carry the token of its browser, so another site may have sent it."""


class UnreadableFormError(Exception):
    """The body is not a form."""


class Form:
    """The fields of a form, as they were sent."""

    def __init__(
        self, data: FormData, files: Mapping[str, tuple[str, bytes]] | None = None
    ) -> None:
        self._data = data
        self._files = files or {}

    def file(self, name: str) -> bytes | None:
        """Return the content of the uploaded file, or None if no file was chosen."""
        found = self._files.get(name)
        return None if found is None else found[1]

    def file_name(self, name: str) -> str:
        """Return the name of the uploaded file on the computer it comes from, or ""."""
        return self._files[name][0] if name in self._files else ""

    def text(self, name: str) -> str:
        """Return the field unchanged, or "" if it is missing."""
        value = self._data.get(name)
        return value if isinstance(value, str) else ""

    def line(self, name: str) -> str:
        """Return a field of one line, without the spaces that pasting leaves around it."""
        return self.text(name).strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of a field that may be repeated."""
        return tuple(value for value in self._data.getlist(name) if isinstance(value, str))

    def ticked(self, name: str) -> bool:
        return name in self._data

    def number(self, name: str) -> int | None:
        """Return a whole number written in ASCII digits, or None for anything else."""
        text = self.line(name)
        return (
            int(text)
            if text.isascii() and text.isdecimal() and len(text) < len(str(2**63))
            else None
        )


async def protected_form(request: Request) -> Form:
    """Return the form of a request from our own pages; an empty one for a GET.

    Raises:
        ForgedFormError, UnreadableFormError
    """
    if request.method in {"GET", "HEAD"}:
        return Form(FormData())
    data = await _data(request)
    form = Form(data, await _files(data))
    # An error page shows the typed content again, so that it is not lost.
    request.state.typed = _long_text(form)
    if not csrf.is_ours(request, form.text(csrf.FIELD) or request.headers.get(csrf.HEADER, "")):
        raise ForgedFormError
    return form


async def typed_text(request: Request) -> str:
    """Return the content of an editor that a form has, whether it is from our pages or not.

    Raises:
        UnreadableFormError
    """
    return _long_text(Form(await _data(request)))


def _long_text(form: Form) -> str:
    """Return the content of the editor that a form has: of a file, or of a sweep's definition."""
    return form.text("content") or form.text("yaml")


async def _data(request: Request) -> FormData:
    if not is_utf8_form(request.headers.get("content-type", "")):
        raise UnreadableFormError
    try:
        return await request.form(max_files=1, max_fields=_MAX_FIELDS, max_part_size=MAX_FORM)
    except HTTPException as error:
        if error.status_code != _MALFORMED:
            raise
        raise UnreadableFormError from error


async def _files(data: FormData) -> dict[str, tuple[str, bytes]]:
    """Return names and contents of the uploaded files, by their fields.

    Browsers send an empty field as a file without a name.
    """
    found = {}
    for name, value in data.multi_items():
        if isinstance(value, UploadFile):
            content = await value.read()
            await value.close()
            if value.filename or content:
                found[name] = (value.filename or "", content)
    return found


FormDependency = Annotated[Form, Depends(protected_form)]
