"""The language and theme of the person who reads a page."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from fastapi import Request

from benchmark_manager.domain.fields import is_person_name
from benchmark_manager.web.site.cookies import given
from benchmark_manager.web.site.languages import chosen, translations

#: The name that the person entered, percent-encoded.
NAME_COOKIE: Final = "bm_name"
LANGUAGE_COOKIE: Final = "bm_lang"
THEME_COOKIE: Final = "bm_theme"
#: `auto` follows the setting of the reader's system.
THEMES: Final = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Reader:
    """The language and theme of a reader."""

    language: str
    theme: str

    def words(self, message: str) -> str:
        """Return the message in the reader's language, or unchanged if it has no translation."""
        return translations(self.language).gettext(message)


def name_of(request: Request) -> str:
    """Return the name that the person entered, or ""."""
    name = unquote(given(request, NAME_COOKIE))
    return name if is_person_name(name) else ""


def reader_of(request: Request) -> Reader:
    theme = given(request, THEME_COOKIE)
    language = chosen(given(request, LANGUAGE_COOKIE), request.headers.get("accept-language"))
    return Reader(language, theme if theme in THEMES else THEMES[0])
