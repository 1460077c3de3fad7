"""Positions in the changes, as clients get them.

A database's own position holds the id of what changed last and the name of its collection, also
where the client may not read that.
"""

from typing import Final

from cryptography.fernet import InvalidToken, MultiFernet

#: No sealed position is longer.
_LONGEST: Final = 4000
#: A position that no database has: it leads to a reset.
_UNKNOWN: Final = "0"


class Positions:
    """Seals positions, so that clients cannot read them, and any replica can open them."""

    def __init__(self, cipher: MultiFernet) -> None:
        self._cipher = cipher
        #: All clients get the same one; without changes, again and again.
        self._last = ("", "")

    def sealed(self, position: str) -> str:
        """Return the id that clients get for a position; of the same one mostly the same."""
        if self._last[0] != position:
            self._last = position, self._cipher.encrypt(position.encode()).decode()
        return self._last[1]

    def opened(self, event_id: str) -> str:
        """Return the position of an id that a client sent; for an invalid one, an unknown one."""
        if len(event_id) > _LONGEST or not event_id.isascii():
            return _UNKNOWN
        try:
            position = self._cipher.decrypt(event_id.encode()).decode()
        except InvalidToken:
            return _UNKNOWN
        # The same keys encrypt other texts too.
        return position if position.isalnum() else _UNKNOWN
