"""Git's object ids of contents and trees.

Source: gitformat-pack(5) and the "Git Objects" chapter of Pro Git: an object's id is the SHA-1 of
its type, a space, its length in decimal, a NUL and its bytes.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: Trees are hashed recursively.
_DEEPEST: Final = 300
#: Characters of all folders' paths. Three hundred folders in a folder with a name of 64 kB have
#: paths that are each as long as that.
_MOST_PATHS: Final = 64_000_000
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}")


def blob_id(data: bytes) -> str:
    """Return the git object id of a blob with these bytes: 40 hex digits."""
    digest = hashlib.sha1(b"blob %d\x00" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def is_object_id(text: str) -> bool:
    return _OBJECT_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class TreeMember:
    """A file or link of a commit: its path from the root, git's mode for it, and its blob id."""

    path: str
    mode: str
    sha: str


_Folder = dict[str, "TreeMember | _Folder"]


def tree_ids(members: Iterable[TreeMember]) -> dict[str, str]:
    """Return the ids of the trees that hold exactly these files, by folder ("" is the root).

    Bytes of paths that are not UTF-8 are written as Python's `surrogateescape` does. The result is
    empty where two of them, or a file and a folder, have the same name, as in no tree of git's,
    where folders are nested too deeply, or where their paths are too long together.
    """
    root: _Folder = {}
    left = _MOST_PATHS
    for member in members:
        folder = root
        *parents, name = member.path.split("/", _DEEPEST + 1)
        if len(parents) > _DEEPEST:
            return {}
        length = 0
        for parent in parents:
            length += len(parent) + 1
            inner = folder.get(parent)
            if inner is None:
                inner = folder[parent] = {}
                left -= length
            if not isinstance(inner, dict):
                return {}
            folder = inner
        if left < 0:
            return {}
        if name in folder:
            return {}
        folder[name] = member
    ids: dict[str, str] = {}
    _add_tree_id("", root, ids)
    return ids


def _add_tree_id(path: str, folder: _Folder, ids: dict[str, str]) -> str:
    rows: list[tuple[bytes, bytes]] = []
    for name, inside in folder.items():
        key = name.encode("utf-8", "surrogateescape")
        if isinstance(inside, dict):
            # Git sorts folders as if their names ended in a slash.
            inner = _add_tree_id(f"{path}/{name}" if path else name, inside, ids)
            rows.append((key + b"/", _row("40000", key, inner)))
        else:
            rows.append((key, _row(inside.mode, key, inside.sha)))
    ids[path] = _tree_id(row for _, row in sorted(rows))
    return ids[path]


def tree_id(members: Iterable[TreeMember]) -> str:
    """Return the id of the tree with these entries, folders among them; their paths are names."""
    rows = []
    for member in members:
        mode = member.mode.lstrip("0")
        name = member.path.encode("utf-8", "surrogateescape")
        # Git sorts folders as if their names ended in a slash.
        rows.append((name + b"/" if mode == "40000" else name, _row(mode, name, member.sha)))
    return _tree_id(row for _, row in sorted(rows))


def _tree_id(rows: Iterable[bytes]) -> str:
    body = b"".join(rows)
    return hashlib.sha1(b"tree %d\x00" % len(body) + body, usedforsecurity=False).hexdigest()


def _row(mode: str, name: bytes, sha: str) -> bytes:
    return mode.encode() + b" " + name + b"\0" + bytes.fromhex(sha)
