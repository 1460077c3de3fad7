"""Names of accounts and groups: visible characters only, and no two accounts that look alike.

Two names are the same where `domain.text.folding` makes the same of them: case, full-width letters
and composed or decomposed forms do not matter. A name that mixes alphabets with letters of the same
shape is refused, so no Cyrillic letter can replace one of `admin`. A name that is Cyrillic as
a whole may still resemble a Latin one: people do write their names so.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.errors import InvalidInputError

LONGEST_ACCOUNT_NAME: Final = 100
LONGEST_GROUP_NAME: Final = 200
#: The name that a person gives to a token or to a rule of federation.
LONGEST_LABEL: Final = 100
#: Groups of one account; issuers of tokens list at most 200 or so.
MOST_GROUPS: Final = 500
#: The service itself, and requests without an identity, are on record by these.
RESERVED_NAMES: Final = frozenset(
    {"anonymous", "command", "housekeeping", "poll", "service", "webhook"}
)
#: Behind the name of a person whom an issuer calls like one of these.
_PERSON: Final = " (person)"

#: Characters that are counted as letters, marks or symbols, and have no glyph.
_WITHOUT_GLYPH: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164"
    "\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
#: Alphabets with letters of the same shape, as the names of their characters begin.
_ALIKE: Final = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LATIN", "LISU"})
#: A text is normalised only if it is not much longer than it may be: marks take quadratic time.
_DECOMPOSED: Final = 4


def account_key(name: str) -> str:
    """Return the form in which the names of local accounts are compared."""
    return fold(name)


def check_account_name(text: str) -> str:
    """Return the name as it is stored: composed, without spaces around it.

    Raises:
        InvalidInputError: `invalid_account_name`.
    """
    name = _trimmed(text, LONGEST_ACCOUNT_NAME)
    reason = _problem(name, LONGEST_ACCOUNT_NAME) or _problem_of_account(name)
    if reason is not None:
        raise InvalidInputError(
            "invalid_account_name", reason, field="account_name", limit=LONGEST_ACCOUNT_NAME
        )
    return name


def check_group_name(text: str) -> str:
    """Return the name as it is stored; upper and lower case differ, as they do at issuers.

    Raises:
        InvalidInputError: `invalid_group_name`.
    """
    name = _trimmed(text, LONGEST_GROUP_NAME)
    reason = _problem(name, LONGEST_GROUP_NAME) or ("comma" if "," in name else None)
    if reason is not None:
        raise InvalidInputError(
            "invalid_group_name", reason, field="group_name", limit=LONGEST_GROUP_NAME
        )
    return name


def check_label(text: str) -> str:
    """Return the name of a token or of a rule, as it is stored.

    Raises:
        InvalidInputError: `invalid_label`.
    """
    label = _trimmed(text, LONGEST_LABEL)
    reason = _problem(label, LONGEST_LABEL)
    if reason is not None:
        raise InvalidInputError("invalid_label", reason, field="label", limit=LONGEST_LABEL)
    return label


def groups_of(values: Iterable[object]) -> tuple[str, ...]:
    """Return the groups that an issuer or a proxy reports, sorted, at most `MOST_GROUPS`.

    What cannot be a group's name gives nobody a role, so it is left out.
    """
    found = set()
    for value in values:
        try:
            found.add(check_group_name(value if isinstance(value, str) else ""))
        except InvalidInputError:
            continue
    return tuple(sorted(found)[:MOST_GROUPS])


def name_on_record(claimed: str, otherwise: str) -> str:
    """Return a name for an account that an issuer or a proxy names.

    It is what is visible of `claimed`, else of `otherwise`, the issuer's own key of the account.
    One of `RESERVED_NAMES` is marked as a person's: lists of changes show names alone.
    """
    for text in (claimed, otherwise):
        composed = unicodedata.normalize("NFC", text[: LONGEST_ACCOUNT_NAME * _DECOMPOSED])
        shown = "".join(char if _is_visible(char) else " " for char in composed)
        if name := " ".join(shown.split())[:LONGEST_ACCOUNT_NAME].rstrip():
            return f"{name}{_PERSON}" if account_key(name) in RESERVED_NAMES else name
    return "unnamed"


def _trimmed(text: str, longest: int) -> str:
    stripped = text.strip()
    if len(stripped) > longest * _DECOMPOSED:
        return stripped
    return unicodedata.normalize("NFC", stripped)


def _problem(name: str, longest: int) -> str | None:
    if not name:
        return "empty"
    if len(name) > longest:
        return "long"
    if "  " in name or not all(map(_is_visible, name)):
        return "characters"
    return None


def _problem_of_account(name: str) -> str | None:
    key = account_key(name)
    if key in RESERVED_NAMES:
        return "reserved"
    alphabets = {unicodedata.name(char, "").partition(" ")[0] for char in key}
    return "alphabets" if len(alphabets & _ALIKE) > 1 else None


def _is_visible(char: str) -> bool:
    """Return whether a character is a plain space or has a glyph; none that reorders text has."""
    if char == " ":
        return True
    return unicodedata.category(char)[0] not in "CZ" and _WITHOUT_GLYPH.match(char) is None
