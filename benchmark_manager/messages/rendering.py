"""Sentences of errors: for programs, and for people in their language."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from benchmark_manager.errors import BenchmarkManagerError, Fact
from benchmark_manager.messages.catalogue import CATALOGUE
from benchmark_manager.messages.fields import label, wire_name
from benchmark_manager.messages.message import Sentence
from benchmark_manager.messages.stored import KOREAN

#: Korean for words of the domain that facts are, by the names of these facts; roles are called as
#: on pages.
_KOREAN_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": {"branch": "브랜치", "tag": "태그", "commit": "커밋"},
    "role_needed": {
        "reader": "읽기(reader)",
        "editor": "편집(editor)",
        "maintainer": "관리(maintainer)",
        "admin": "관리자(admin)",
    },
}


class _Listed(tuple[str, ...]):
    """Names that a sentence lists, as `{names}` or, quoted, as `{names!r}`."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(self)

    def __repr__(self) -> str:
        return ", ".join(map(repr, self))


def detail(error: BenchmarkManagerError) -> str:
    """Return the English sentence for programs, with the API's names of fields, and the hint."""
    text = sentence_of(error)
    return _filled(f"{_english(text, error)} {text.hint}".rstrip(), error, detail, wire_name)


def words(error: BenchmarkManagerError, language: str) -> str:
    """Return the sentence for a person who reads `language`, which is English unless Korean."""
    text = sentence_of(error)
    is_korean = language == "ko"

    def cause_words(cause: BenchmarkManagerError) -> str:
        return words(cause, language)

    return _filled(
        text.ko if is_korean else _english(text, error),
        error,
        cause_words,
        lambda field: label(field, language),
        _KOREAN_WORDS if is_korean else {},
    )


def stored_words(code: str, stored: str, language: str) -> str:
    """Return words for what is stored of a sync, an English sentence without facts."""
    return KOREAN.get(code, stored) if language == "ko" else stored


def sentence_of(error: BenchmarkManagerError) -> Sentence:
    """Return the sentences for an error's code and reason."""
    return CATALOGUE[error.code].sentences[error.reason]


def _english(text: Sentence, error: BenchmarkManagerError) -> str:
    return text.one if text.one and error.facts.get("count") == 1 else text.en


def _filled(
    sentence: str,
    error: BenchmarkManagerError,
    of_cause: Callable[[BenchmarkManagerError], str],
    of_field: Callable[[str], str],
    of_words: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> str:
    def shown(name: str, fact: Fact) -> object:
        if isinstance(fact, BenchmarkManagerError):
            return of_cause(fact)
        if isinstance(fact, tuple):
            return _Listed(fact)
        if name == "field":
            return of_field(str(fact))
        return of_words[name].get(str(fact), fact) if name in of_words else fact

    return sentence.format_map({name: shown(name, fact) for name, fact in error.facts.items()})
