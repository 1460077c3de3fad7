"""How the person who asks wants pages to be."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request

from benchmark_manager.web.languages import chosen, translations

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


def reader_of(request: Request) -> Reader:
    theme = request.cookies.get(THEME_COOKIE, "")
    language = chosen(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
    return Reader(language, theme if theme in THEMES else THEMES[0])
