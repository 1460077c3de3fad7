"""Characters which no name of ours may hold."""

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def holds_control(text: str) -> bool:
    """Whether there is a control character or a line separator: names are one line."""
    return _CONTROL.search(text) is not None
