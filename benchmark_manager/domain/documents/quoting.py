"""Strings in quotes, as YAML writes them."""

from typing import Final

_NAMED: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_BYTE: Final = 0xFF
_PLANE: Final = 0xFFFF


def single_quoted(text: str) -> str:
    """Return a printable text of one line in single quotes."""
    return f"""'{text.replace("'", "''")}'"""


def double_quoted(text: str) -> str:
    """Return any text in double quotes, on one line."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    named = _NAMED.get(character)
    if named is not None:
        return named
    if character.isprintable():
        return character
    code = ord(character)
    if code <= _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"
