"""Names of files as git holds them: any bytes.

Inside the service a path is text whose bytes that are not UTF-8 are written as Python's
`surrogateescape` does, so that every name of git's has one text of its own. Where GitHub does not
report the bytes, `UNKNOWN` stands for them. Neither kind of path is ever stored for a file: it is
listed as skipped, as `readable_names` writes it.
"""

from collections.abc import Container, Iterable
from typing import Final

#: Stands for bytes that GitHub reports as U+FFFD without saying what they are.
UNKNOWN: Final = "\ud800"
REPLACEMENT: Final = "\ufffd"
_ESCAPED: Final = range(0xDC80, 0xDD00)
#: Digits of the numbers that keep names apart which are shown alike; they are not written.
_DIGITS: Final = range(0xD801, 0xDC00)


def is_utf8(path: str) -> bool:
    """Return whether the path can be stored: its bytes are known, and they are UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def unknown_number(number: int) -> str:
    """Return `UNKNOWN` for the name number `number`, from 0, of those that are shown alike."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits += chr(_DIGITS[digit])
    return UNKNOWN + digits


def has_unknown_names(paths: Iterable[str]) -> bool:
    """Return whether the bytes of any of these names are not known."""
    return any(UNKNOWN in path for path in paths)


def readable_names(paths: Iterable[str], taken: Container[str]) -> dict[str, str]:
    r"""Return a different readable text for each path that is not UTF-8, not one of `taken`.

    A byte that is not UTF-8 is written `\xNN`, bytes that are not known `\x??`, and a backslash
    `\x5c`, so that two names never become one. Where a file is really named so, a number follows.
    """
    found: dict[str, str] = {}
    given: set[str] = set()
    #: The next number of each text, so that many alike take no quadratic time.
    numbers: dict[str, int] = {}
    for path in paths:
        name = text = "".join(map(_written, path))
        while name in taken or name in given:
            numbers[text] = number = numbers.get(text, 1) + 1
            name = f"{text} ({number})"
        found[path] = name
        given.add(name)
    return found


def _written(character: str) -> str:
    code = ord(character)
    if code in _ESCAPED:
        return f"\\x{code - 0xDC00:02x}"
    if character == UNKNOWN:
        return "\\x??"
    if code in _DIGITS:
        return ""
    return "\\x5c" if character == "\\" else character
