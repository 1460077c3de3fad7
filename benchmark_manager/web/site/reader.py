"""How the person who asks wants pages to be."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from fastapi import Request

from benchmark_manager.domain.fields import is_person_name
from benchmark_manager.web.site.cookies import given
from benchmark_manager.web.site.languages import chosen, translations

#: What the person at this browser calls itself, quoted as in an address.
NAME_COOKIE: Final = "bm_name"
LANGUAGE_COOKIE: Final = "bm_lang"
THEME_COOKIE: Final = "bm_theme"
#: `auto` is what the reader's system prefers.
THEMES: Final = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Reader:
    """Their language and theme."""

    language: str
    theme: str

    def words(self, message: str) -> str:
        """The message in their language, if the catalogue has it."""
        return translations(self.language).gettext(message)


def name_of(request: Request) -> str:
    """What the person calls itself; empty if it never said."""
    name = unquote(given(request, NAME_COOKIE))
    return name if is_person_name(name) else ""


def reader_of(request: Request) -> Reader:
    theme = given(request, THEME_COOKIE)
    language = chosen(given(request, LANGUAGE_COOKIE), request.headers.get("accept-language"))
    return Reader(language, theme if theme in THEMES else THEMES[0])
