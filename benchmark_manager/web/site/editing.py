"""The exact text behind a form: browsers turn line ends into CRLF and cannot send NUL."""

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from benchmark_manager.domain.text import ENDS, LineEnd, line_ends_of, with_stored_ends
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.web.site.forms import Form

FormLineEnd = LineEnd | Literal["mixed"]

_TEXT: Final = TypeAdapter(str)
#: The character into which HTML turns NUL.
_REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class Editable:
    """A text in the form of an editor."""

    text: str
    line_end: FormLineEnd
    sha256: str

    @classmethod
    def of(cls, text: str, line_end: str = "lf") -> "Editable":
        """Return the text for an editor; `line_end` is used if it has only one line."""
        return cls(
            text, _line_end_of(text) or (line_end if line_end in ENDS else "lf"), sha256_of(text)
        )


def _line_end_of(text: str) -> FormLineEnd | None:
    found = list(line_ends_of(text))
    if len(found) > 1:
        return "mixed"
    return found[0] if found else None


def edited_text(form: Form, stored: str) -> str:
    """Return the exact text that a form means; `stored` is the text saved now.

    A text that is too long for a page comes as a file, or is kept if the form says so.

    Scripts send the exact text as JSON in `content_exact`. Without scripts, leading and trailing
    lines that equal those of the stored text keep their stored line ends. The lines between them
    end as `line_end` says or, if that is `mixed`, as most stored lines do.

    Raises:
        InvalidInputError: `content_exact` is not a text, the file is not UTF-8, or there is no
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
    # The field may hold any text, or none.
    ending = ENDS.get(form.text("line_end")) or _usual_end(stored)  # type: ignore[call-overload]
    # If the stored text has changed, its lines are not those that the person saw.
    base = stored if form.text("original_sha256") == sha256_of(stored) else ""
    return restored(base, form.text("content"), ending)


def restored(stored: str, shown: str, ending: str) -> str:
    """Return `shown` with the exact leading and trailing lines that it shares with `stored`.

    All other lines get `ending`.
    """
    return with_stored_ends(stored, stored.replace("\0", _REPLACEMENT), shown, ending)


def _usual_end(text: str) -> str:
    """Return the most frequent line end; of two, the one that occurs first."""
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
