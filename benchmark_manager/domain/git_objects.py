"""Git's own names for contents.

Source: gitformat-pack(5) and the "Git Objects" chapter of Pro Git: an object's id is the SHA-1 of
its type, a space, its length in decimal, a NUL and its bytes.
"""

import hashlib
import re
from typing import Final

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}")


def blob_id(data: bytes) -> str:
    """The git object id of a blob with these bytes: 40 hex digits."""
    digest = hashlib.sha1(b"blob %d\x00" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def is_object_id(text: str) -> bool:
    return _OBJECT_ID.fullmatch(text) is not None
