"""The character sets of forms."""

from typing import Final

from python_multipart.multipart import parse_options_header

#: Of UTF-8, and of its part ASCII.
_READ: Final = frozenset({b"utf-8", b"utf8", b"us-ascii"})


def is_utf8_form(content_type: str) -> bool:
    """Return whether a `Content-Type` names no other character set than UTF-8.

    Starlette decodes a form's fields with any codec of Python that the header names. Some of them
    take quadratic time, so that one field of a megabyte would stop the event loop for a minute.

    Example:
        >>> is_utf8_form("multipart/form-data; boundary=x; charset=punycode")
        False
    """
    _, options = parse_options_header(content_type)
    return options.get(b"charset", b"utf-8").lower() in _READ
