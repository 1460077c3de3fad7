"""Making a small commit without a process of git."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from github_test_server.commit_stream import Entry, NewCommit
from github_test_server.loose_objects import NotLooseError
from github_test_server.objects import tree_rows

if TYPE_CHECKING:
    from github_test_server.loose_objects import LooseFiles

_SHA = re.compile(r"[0-9a-f]{40}")
#: With more, git is faster.
_FILES: Final = 100
_BYTES: Final = 1_000_000
_FOLDER: Final = b"40000"
_SUBMODULE: Final = b"160000"


@dataclass(slots=True)
class _EditedFolder:
    """A folder; `entries` has (mode, sha) or a changed folder by name."""

    entries: dict[bytes, tuple[bytes, str] | _EditedFolder] = field(default_factory=dict)


def write_commit(files: LooseFiles, new: NewCommit) -> str:
    """Make the commit, and let its branch point at it; return its sha.

    Raises:
        NotLooseError: git has to make it.
    """
    contents = {_raw(path): _entry(content) for path, content in new.changes.items()}
    name, email = new.author
    who = f"{name} <{email}> {int(new.date.timestamp())} {new.date:%z}".encode()
    _check_size(contents)
    _check_names([*contents], new)
    if new.date.tzinfo is None or (new.parent is not None and not _SHA.fullmatch(new.parent)):
        raise NotLooseError
    writer = _Writer(files)
    tree = _EditedFolder() if new.parent is None or new.replace_all else writer.tree_of(new.parent)
    for path, content in contents.items():
        # Before all writes, so that a folder can take a deleted file's name in the same commit.
        if content is None:
            writer.delete(tree, path.split(b"/"))
    for path, content in contents.items():
        if content is not None:
            writer.put(tree, path.split(b"/"), content)
    lines = [b"tree " + writer.write(tree).encode()]
    lines += [] if new.parent is None else [b"parent " + new.parent.encode()]
    lines += [b"author " + who, b"committer " + who, b"", new.message.encode()]
    sha = files.write("commit", b"\n".join(lines))
    files.write_ref(new.branch, sha)
    return sha


def _raw(path: str | bytes) -> bytes:
    return path.encode() if isinstance(path, str) else path


def _entry(content: bytes | Entry | None) -> Entry | None:
    return Entry(content) if isinstance(content, bytes) else content


def _check_size(contents: dict[bytes, Entry | None]) -> None:
    if len(contents) > _FILES:
        raise NotLooseError
    if sum(len(entry.content) for entry in contents.values() if entry) > _BYTES:
        raise NotLooseError


def _check_names(paths: list[bytes], new: NewCommit) -> None:
    """Leave to git what it may refuse."""
    parts = {part for path in paths for part in path.split(b"/")}
    if parts & {b"", b".", b".."} or any(
        b"\0" in part or part.lower().startswith((b".git", b"git~")) for part in parts
    ):
        raise NotLooseError
    if any(set(part) & set("<>\n\0") or part != part.strip() or not part for part in new.author):
        raise NotLooseError
    if "\0" in new.message:
        raise NotLooseError


class _Writer:
    """Changes trees, and writes only what changed."""

    def __init__(self, files: LooseFiles) -> None:
        self._files = files

    def tree_of(self, commit: str) -> _EditedFolder:
        data = self._data(commit, "commit")
        return self._folder(data[5:45].decode())

    def _data(self, sha: str, kind: str) -> bytes:
        found = self._files.read(sha)
        if found is None or found[0] != kind:
            raise NotLooseError
        return found[1]

    def _folder(self, sha: str) -> _EditedFolder:
        return _EditedFolder(
            {name: (mode, sha) for mode, name, sha in tree_rows(self._data(sha, "tree"))}
        )

    def _inner(self, folder: _EditedFolder, name: bytes) -> _EditedFolder | None:
        """Return the folder of this name, to be changed; None where there is no folder."""
        match folder.entries.get(name):
            case _EditedFolder() as inner:
                return inner
            case (mode, sha) if mode == _FOLDER:
                inner = folder.entries[name] = self._folder(sha)
                return inner
            case _:
                return None

    def delete(self, folder: _EditedFolder, path: list[bytes]) -> None:
        name, *rest = path
        if not rest:
            folder.entries.pop(name, None)
        elif (inner := self._inner(folder, name)) is not None:
            self.delete(inner, rest)
            if not inner.entries:
                del folder.entries[name]

    def put(self, folder: _EditedFolder, path: list[bytes], entry: Entry) -> None:
        name, *rest = path
        if rest:
            inner = self._inner(folder, name)
            if inner is None:
                inner = folder.entries[name] = _EditedFolder()
            self.put(inner, rest, entry)
        elif entry.mode == "160000":
            if not _SHA.fullmatch(entry.content.decode(errors="replace")):
                raise NotLooseError
            folder.entries[name] = (_SUBMODULE, entry.content.decode())
        else:
            sha = self._files.write("blob", entry.content)
            folder.entries[name] = (entry.mode.encode(), sha)

    def write(self, folder: _EditedFolder) -> str:
        rows = []
        for name, entry in folder.entries.items():
            mode, sha = (_FOLDER, self.write(entry)) if isinstance(entry, _EditedFolder) else entry
            # Git sorts folders as if their names ended with a slash.
            order = name + b"/" if mode == _FOLDER else name
            rows.append((order, mode + b" " + name + b"\0" + bytes.fromhex(sha)))
        return self._files.write("tree", b"".join(row for _, row in sorted(rows)))
