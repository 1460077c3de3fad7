"""From what a browser sends back to the exact text: forms turn line ends into CRLF and cannot hold NUL."""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from benchmark_manager.domain.text import ENDS, LineEnd, line_ends_of, with_stored_ends
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.web.site.forms import Form

FormLineEnd = LineEnd | Literal["mixed"]

_TEXT: Final = TypeAdapter(str)
#: What HTML makes of NUL.
_REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class Editable:
    """A text as an editor's form holds it."""

    text: str
    line_end: FormLineEnd
    sha256: str

    @classmethod
    def of(cls, text: str, line_end: str = "lf") -> "Editable":
        """`line_end` is that of a text which has one line only."""
        return cls(
            text, _line_end_of(text) or (line_end if line_end in ENDS else "lf"), sha256_of(text)
        )


def _line_end_of(text: str) -> FormLineEnd | None:
    found = list(line_ends_of(text))
    if len(found) > 1:
        return "mixed"
    return found[0] if found else None


def edited_text(form: Form, stored: str) -> str:
    """The text which the form's sender means; `stored` is what is saved now.

    A text which is too long for a page comes as a file, or not at all, where the form says that it
    stays as it is.

    A script sends it exactly as JSON in `content_exact`. Without one, the lines at the beginning
    and at the end which are those of the stored text come back as they are stored; lines between
    them end as `line_end` says, or, where ends were mixed, as most of the stored ones do.

    Raises:
        InvalidInputError: `content_exact` is no text, the file is not UTF-8, or there is no
            content.
    """
    file = form.file("content_file")
    if file is not None:
        return _decoded(file)
    if form.ticked("content_kept"):
        return stored
    if not form.ticked("content"):
        raise InvalidInputError("content_missing", field="content")
    exact = form.text("content_exact")
    if exact:
        return _exact(exact)
    ending = ENDS.get(form.text("line_end")) or _usual_end(stored)  # type: ignore[call-overload]  # a stranger's field may say anything
    # With another base the stored lines are not those which the person saw.
    base = stored if form.text("original_sha256") == sha256_of(stored) else ""
    return restored(base, form.text("content"), ending)


def restored(stored: str, shown: str, ending: str) -> str:
    """`shown`, with those lines which it shares with the beginning and the end of `stored` exactly as they are there.

    All other lines get `ending`.
    """
    return with_stored_ends(stored, stored.replace("\0", _REPLACEMENT), shown, ending)


def _usual_end(text: str) -> str:
    """The line end which stands there most often; of two which do, the one that comes first."""
    counts = line_ends_of(text)
    return (
        ENDS[max(counts, key=lambda end: (counts[end], -text.find(ENDS[end])))] if counts else "\n"
    )


def _decoded(file: bytes) -> str:
    try:
        return file.decode()
    except UnicodeDecodeError:
        raise InvalidInputError("content_not_utf8", field="content") from None


def _exact(sent: str) -> str:
    try:
        text = _TEXT.validate_json(sent)
        text.encode()
    except ValueError:  # of Pydantic, and of half a surrogate pair
        raise InvalidInputError("invalid_request", "unreadable_editor", field="content") from None
    return text


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
