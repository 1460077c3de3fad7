"""Characters which one does not see, made visible."""

import re
from typing import Final

from markupsafe import Markup, escape

#: Characters which one does not see, or which turn what stands beside them around (Unicode TR 36, 3.1).
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def visible(text: str) -> str:
    """The text as HTML, what cannot be seen named by its code point."""
    shown = str(escape(text))
    if shown.isascii() and shown.isprintable():
        return shown
    return _UNSEEN.sub(lambda found: f'<b class="unseen">U+{ord(found[0]):04X}</b>', shown)


def seen(text: str) -> str:
    """A name or a sentence of somebody's for a template: what would hide or turn it around is named."""
    return text if text.isprintable() else Markup(visible(text))  # noqa: S704 -- escaped there
