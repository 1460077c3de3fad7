"""Sentences of errors: for programs, and for people in their language."""

from collections.abc import Callable, Mapping
from typing import Final

from benchmark_manager.errors import BenchmarkManagerError, Fact
from benchmark_manager.messages.catalogue import CATALOGUE
from benchmark_manager.messages.fields import label, wire_name
from benchmark_manager.messages.message import Sentence
from benchmark_manager.messages.stored import KOREAN

#: Kinds of refs, which errors name as the domain does.
_KINDS: Final[Mapping[str, str]] = {"branch": "브랜치", "tag": "태그", "commit": "커밋"}


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

    def kind(name: str) -> str:
        return _KINDS.get(name, name) if is_korean else name

    return _filled(
        text.ko if is_korean else _english(text, error),
        error,
        cause_words,
        lambda field: label(field, language),
        kind,
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
    of_kind: Callable[[str], str] = str,
) -> str:
    def shown(name: str, fact: Fact) -> object:
        if isinstance(fact, BenchmarkManagerError):
            return of_cause(fact)
        if isinstance(fact, tuple):
            return _Listed(fact)
        if name == "field":
            return of_field(str(fact))
        return of_kind(str(fact)) if name == "kind" else fact

    return sentence.format_map({name: shown(name, fact) for name, fact in error.facts.items()})
