"""From what a browser sends back to the exact text: forms turn line ends into CRLF and cannot hold NUL."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.web.forms import Form

LineEnd = Literal["lf", "crlf", "cr", "mixed"]

_ENDS: Final[dict[LineEnd, str]] = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_NAMES: Final = {end: name for name, end in _ENDS.items()}
_TEXT: Final = TypeAdapter(str)
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_LINE: Final = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
#: What HTML makes of NUL.
_REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class Editable:
    """A text as an editor's form holds it."""

    text: str
    line_end: LineEnd
    sha256: str

    @classmethod
    def of(cls, text: str, line_end: str = "lf") -> "Editable":
        """`line_end` is that of a text which has one line only."""
        return cls(text, _line_end_of(text) or (line_end if line_end in _ENDS else "lf"), sha256_of(text))


def _line_end_of(text: str) -> LineEnd | None:
    found = set(_LINE_END.findall(text))
    if len(found) > 1:
        return "mixed"
    return _NAMES[found.pop()] if found else None


def edited_text(form: Form, stored: str) -> str:
    """The text which the form's sender means; `stored` is what is saved now.

    A script sends it exactly as JSON in `content_exact`. Without one, the lines at the beginning and at the end which
    are those of the stored text come back as they are stored; lines between them end as `line_end` says, or, where
    ends were mixed, as most of the stored ones do.

    Raises:
        InvalidInputError: `content_exact` is no text.
    """
    exact = form.text("content_exact")
    if exact:
        return _exact(exact)
    ending = _ENDS.get(form.text("line_end")) or _usual_end(stored)  # type: ignore[call-overload]  # a stranger's field may say anything
    # With another base the stored lines are not those which the person saw.
    base = stored if form.text("original_sha256") == sha256_of(stored) else ""
    return restored(base, form.text("content"), ending)


def restored(stored: str, shown: str, ending: str) -> str:
    """`shown`, with those lines which it shares with the beginning and the end of `stored` exactly as they are there.

    All other lines get `ending`. Linear in both.
    """
    old, new = _lines(stored), _lines(shown)
    ahead = _shared(old, new)
    behind = _shared(old[ahead:][::-1], new[ahead:][::-1])
    between = [text + (ending if end else "") for text, end in new[ahead : len(new) - behind]]
    kept_ahead = [text + end for text, end in old[:ahead]]
    kept_behind = [text + end for text, end in old[len(old) - behind :]]
    return "".join((*kept_ahead, *between, *kept_behind))


def _lines(text: str) -> list[tuple[str, str]]:
    """Each line with its end; the last has none, and is empty behind a final line end."""
    found = _LINE.findall(text)
    # Behind a last line without an end the expression matches once more, nothing.
    return found[:-1] if len(found) > 1 and found[-2][1] == "" else found


def _shared(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> int:
    count = 0
    for (mine, my_end), (theirs, their_end) in zip(old, new, strict=False):
        if _as_shown(mine) != theirs or bool(my_end) != bool(their_end):
            break
        count += 1
    return count


def _as_shown(line: str) -> str:
    return line.replace("\0", _REPLACEMENT)


def _usual_end(text: str) -> str:
    counted = Counter(_LINE_END.findall(text)).most_common(1)
    return counted[0][0] if counted else "\n"


def _exact(sent: str) -> str:
    try:
        text = _TEXT.validate_json(sent)
        text.encode()
    except ValueError:  # of Pydantic, and of half a surrogate pair
        raise InvalidInputError(
            "invalid_request", "The editor sent its text in a form that cannot be read; save again.", field="content"
        ) from None
    return text


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
