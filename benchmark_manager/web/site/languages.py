"""The languages of the pages, and the choice of one for a reader."""

import io
import re
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

#: Names of the languages in themselves, by code. The pages are written in the first one.
LANGUAGES: Final = {"en": "English", "ko": "한국어"}
LOCALES: Final = Path(__file__).parents[1] / "locales"

_DEFAULT: Final = "en"
#: A language range with its weight (RFC 9110, 12.5.4).
_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,35})?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?"
)
#: The headers of browsers are much shorter.
_LONGEST_HEADER: Final = 1000


def N_(message: str) -> str:  # noqa: N802 -- the usual name with gettext
    """Mark a text for translation at the point where it is shown."""
    return message


def chosen(cookie: str | None, accept_language: str | None) -> str:
    """Return the language of the cookie, else the one of ours that the browser prefers."""
    if cookie in LANGUAGES:
        return cookie
    best, best_weight = _DEFAULT, 0.0
    for part in (accept_language or "")[:_LONGEST_HEADER].split(","):
        found = _RANGE.fullmatch(part)
        if found is None or found[1].lower() not in LANGUAGES:
            continue
        weight = float(found[2] or 1)
        if weight > best_weight:
            best, best_weight = found[1].lower(), weight
    return best


def catalogue(language: str) -> Catalog:
    """Read the catalogue of a language from its `.po` file."""
    with (LOCALES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def translations(language: str) -> NullTranslations:
    """Compile the translations in memory, so that a checkout needs no build step."""
    if language == _DEFAULT:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)
