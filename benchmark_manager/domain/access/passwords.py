"""Which passwords are accepted for an account, and the bytes that are hashed of one.

The rules are those of NIST SP 800-63B: length and a list of common ones, no mixture of characters.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Final

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.errors import InvalidInputError

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1024

#: Different characters of a password that is not counted as one character, repeated.
_FEWEST_DIFFERENT: Final = 4
#: Characters that are no password, however often they are repeated.
_LONGEST_REPEATED: Final = 5
#: Parts of these, in either direction, are the first that a guesser tries.
_ROWS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "1234567890qwertyuiop",
    "1234567890-=",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
)


def password_bytes(password: str) -> bytes:
    """Return what is hashed of a password: the same for every Unicode form that it is typed in."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def check_password(password: str, name: str) -> None:
    """Check that an account of this name may have the password; the error does not repeat it.

    The first call takes 0.2 s, in which it reads the list of common passwords.

    Raises:
        InvalidInputError: `password_refused`.
    """
    reason = _problem(password, name)
    if reason is not None:
        raise InvalidInputError(
            "password_refused",
            reason,
            field="password",
            shortest=SHORTEST_PASSWORD,
            limit=LONGEST_PASSWORD,
        )


def _problem(password: str, name: str) -> str | None:
    if len(password) > LONGEST_PASSWORD:
        return "long"
    folded = fold(password)
    if min(len(password), len(unicodedata.normalize("NFKC", password))) < SHORTEST_PASSWORD:
        return "short"
    own = {fold(name), _letters(fold(name))}
    if any(part in own for part in _parts(folded)):
        return "name"
    return "common" if _is_common(folded) else None


def _is_common(folded: str) -> bool:
    if len(set(folded)) < _FEWEST_DIFFERENT or len(_repeated(folded)) <= _LONGEST_REPEATED:
        return True
    if any(folded in row or folded in row[::-1] for row in _ROWS):
        return True
    common = _common_words()
    return any(part in common for part in _parts(folded))


def _parts(folded: str) -> Iterator[str]:
    """Yield what a password is made of: itself, or what it repeats or adds digits and signs to.

    Of added characters there are at most as many as others.
    """
    letters = _letters(folded)
    for text in (folded, letters if 2 * len(letters) >= len(folded) else folded):
        yield text
        yield _repeated(text)


def _repeated(text: str) -> str:
    """Return the shortest text that gives this one when it is repeated."""
    return text[: (text + text).find(text, 1)]


def _letters(text: str) -> str:
    """Return the text from its first letter to its last."""
    positions = [position for position, char in enumerate(text) if char.isalpha()]
    return text[positions[0] : positions[-1] + 1] if positions else ""


@cache
def _common_words() -> frozenset[str]:
    # Importing it takes 0.1 s and 10 MB, which only a change of a password is worth.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 -- why: see above

    return frozenset(chain.from_iterable(FREQUENCY_LISTS.values()))
