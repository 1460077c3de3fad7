"""Sentences of notes and notices, which are remarks and no errors."""

from collections.abc import Mapping

from benchmark_manager.messages.catalogue.result_notices import NOTICES
from benchmark_manager.messages.catalogue.sweep_notes import NOTES
from benchmark_manager.messages.message import Sentence


def note_words(code: str, facts: Mapping[str, str | int], language: str = "en") -> str:
    """Return the sentence of a note on a sweep, English unless the language is Korean."""
    return _filled(NOTES[code], facts, language)


def notice_words(
    code: str, facts: Mapping[str, str | int | list[str]], language: str = "en"
) -> str:
    """Return the sentence of a notice above a table, English unless the language is Korean."""
    shown = {
        name: ", ".join(fact) if isinstance(fact, list) else fact for name, fact in facts.items()
    }
    with_missing = NOTICES.get(f"{code}/missing") if facts.get("missing") else None
    return _filled(with_missing or NOTICES[code], shown, language)


def _filled(sentence: Sentence, facts: Mapping[str, str | int], language: str) -> str:
    if language == "ko":
        return sentence.ko.format_map(facts)
    text = sentence.one if sentence.one and facts.get("count") == 1 else sentence.en
    return text.format_map(facts)
