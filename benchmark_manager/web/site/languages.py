"""The languages of the pages, and which of them a reader wants."""

import io
import re
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

#: By their codes, as their speakers name them. The first is the language that the pages are written
#: in.
LANGUAGES: Final = {"en": "English", "ko": "한국어"}
LOCALES: Final = Path(__file__).parents[1] / "locales"

_DEFAULT: Final = "en"
#: RFC 9110, 12.5.4: a language range with its weight.
_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,35})?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?"
)
#: What browsers send is much shorter.
_LONGEST_HEADER: Final = 1000


def N_(message: str) -> str:  # noqa: N802 -- gettext's own name for it
    """Mark a text as one to translate where it is shown."""
    return message


def chosen(cookie: str | None, accept_language: str | None) -> str:
    """The language that the reader chose, else the one their browser prefers among ours."""
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
    """The catalogue as translators write it."""
    with (LOCALES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@cache
def translations(language: str) -> NullTranslations:
    """The translations, compiled in memory: a checkout needs no build step, and no compiled file gets out of date."""
    if language == _DEFAULT:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)
