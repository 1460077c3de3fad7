"""Check for what is suspicious in any text, whatever its format."""

import re
from typing import Final

from benchmark_manager.domain.validation.findings import Findings, excerpt

# Unicode TR 36 and CVE-2021-42574: embeddings, overrides and isolates disguise a text.
_BIDI_CONTROL: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Characters that are not visible. Joiners count only after ASCII: they may shape other letters.
_INVISIBLE: Final = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\u3164\ufeff\uffa0\U000e0000-\U000e007f]|(?:\\A|(?<=[\x20-\x7e]))[\u200c\u200d]"
)
_CONFLICT_MARKS: Final = re.compile(r"^(?:<{7}(?= )|={7}(?=[\r\n]|\Z)|>{7}(?= ))", re.MULTILINE)
_CONFLICT: Final = ("<<<<<<<", "=======", ">>>>>>>")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def check_encodable(text: str, findings: Findings) -> None:
    """Report a lone surrogate, which UTF-8 cannot encode; text from a file never holds one."""
    if not text.isascii() and (found := _SURROGATE.search(text)):
        findings.error(
            "lone_surrogate",
            "The text holds a lone surrogate, which UTF-8 cannot encode.",
            found.start(),
        )


def check_bidi(text: str, findings: Findings) -> None:
    if text.isascii() or not (found := _BIDI_CONTROL.search(text)):
        return
    # One warning a file: prompts in right-to-left languages may hold hundreds.
    findings.warning(
        "bidi_control",
        f"U+{ord(found[0]):04X} makes the text appear in another order than programs read it.",
        found.start(),
    )


def holds_invisible(text: str) -> bool:
    """Return whether a text has invisible characters, including harmless ones."""
    return not text.isascii() and _INVISIBLE.search(text) is not None


def check_key(key: str, findings: Findings, index: int) -> None:
    """Report a key, as written, with an invisible character: it looks like another key."""
    if not key.isascii() and (found := _INVISIBLE.search(key)):
        message = f"The key {excerpt(key)} holds U+{ord(found[0]):04X}, which is invisible."
        findings.warning("invisible_character", message, index)


def check_conflict_markers(text: str, findings: Findings) -> None:
    """Report git's conflict markers: all three in order, each at the beginning of a line.

    All three are needed because seven equals signs alone may underline a heading.
    """
    if any(mark not in text for mark in _CONFLICT):
        return
    begin, following = 0, 0
    for match in _CONFLICT_MARKS.finditer(text):
        if match[0] == _CONFLICT[0]:
            begin, following = match.start(), 1
        elif match[0] != _CONFLICT[following]:
            following = 0
        elif following + 1 == len(_CONFLICT):
            findings.warning(
                "conflict_marker", "The text holds an unresolved merge conflict of git.", begin
            )
            return
        else:
            following += 1
