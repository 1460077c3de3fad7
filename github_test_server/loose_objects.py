"""Objects and refs that lie in files of their own, read and written without a process of git.

Most repositories of tests are this small, and a process takes longer than all the rest. Whatever is
not here (packed objects and refs, short shas, odd names) is left to git.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_SHA = re.compile(r"[0-9a-f]{40}")
#: Names which git takes for nothing else: not for the output of `git describe`, for example.
_PLAIN_REF = re.compile(
    r"refs/(?:heads|tags)/(?![/.-])(?!.*(?:\.\.|//|/[.-]|\.lock(?:/|$)|[/.]$|-g[0-9a-f]+$))"
    r"[A-Za-z0-9_./+=-]+"
)
#: Enough for the kind and the size of an object.
_HEADER_BYTES: Final = 64
_SYMBOLIC = "ref: "


class NotLooseError(Exception):
    """Only git can say what there is, or whether there is anything."""


class LooseFiles:
    """The files of one bare repository."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._objects = directory / "objects"

    def initialise(self) -> None:
        """Make an empty repository; an existing one keeps what it holds."""
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (self._directory / folder).mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("HEAD", b"ref: refs/heads/main\n"),
            (
                "config",
                b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
            ),
        ):
            path = self._directory / name
            with contextlib.suppress(FileExistsError), path.open("xb") as file:
                file.write(content)

    def read(self, sha: str) -> tuple[str, bytes] | None:
        """Return the kind and the content of an object; None where there is no such object.

        Raises:
            NotLooseError
        """
        packed = self._packed_object(sha)
        if packed is None:
            return None
        head, _, data = zlib.decompress(packed).partition(b"\0")
        return head.split(b" ")[0].decode(), data

    def size(self, sha: str) -> int:
        """Return the size of an object's content.

        Raises:
            NotLooseError: also where there is no such object.
        """
        packed = self._packed_object(sha)
        if packed is None:
            raise NotLooseError
        head = zlib.decompressobj().decompress(packed, _HEADER_BYTES)
        return int(head.partition(b"\0")[0].split(b" ")[1])

    def _packed_object(self, sha: str) -> bytes | None:
        try:
            return self._object_path(sha).read_bytes()
        except FileNotFoundError:
            if self._may_have_others():
                raise NotLooseError from None
            return None

    def _object_path(self, sha: str) -> Path:
        return self._objects / sha[:2] / sha[2:]

    def _may_have_others(self) -> bool:
        pack = self._objects / "pack"
        if not pack.is_dir() or (self._objects / "info/alternates").exists():
            return True
        return any(pack.iterdir())

    def write(self, kind: str, data: bytes) -> str:
        """Add an object, and return its sha."""
        content = b"%b %d\0%b" % (kind.encode(), len(data), data)
        sha = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        path = self._object_path(sha)
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            _replace(path, zlib.compress(content, 1))
        return sha

    def find_ref(self, name: str) -> str | None:
        """Return the sha behind HEAD or a name such as `refs/heads/main`; None where there is none.

        Raises:
            NotLooseError
        """
        if name == "HEAD":
            text = self._text("HEAD")
            if text is None or not text.startswith(_SYMBOLIC):
                raise NotLooseError
            name = text.removeprefix(_SYMBOLIC)
        if not _PLAIN_REF.fullmatch(name):
            raise NotLooseError
        text = self._text(name)
        if text is not None:
            if not _SHA.fullmatch(text):
                raise NotLooseError
            return text
        if self._has_other_refs():
            raise NotLooseError
        return None

    def has_refs(self) -> bool:
        """Return whether there is a branch or a tag.

        Raises:
            NotLooseError
        """
        return bool(self.refs("refs/heads") or self.refs("refs/tags"))

    def refs(self, folder: str) -> list[tuple[str, str]]:
        """Return (name, sha) of what is in `refs/heads` or `refs/tags`, by name.

        Raises:
            NotLooseError
        """
        if self._has_other_refs():
            raise NotLooseError
        paths = [path for path in (self._directory / folder).rglob("*") if path.is_file()]
        names = sorted(path.relative_to(self._directory).as_posix() for path in paths)
        return [(name, self._sha_of(name)) for name in names if not name.endswith(".lock")]

    def _sha_of(self, name: str) -> str:
        sha = self.find_ref(name)
        if sha is None:
            raise NotLooseError
        return sha

    def _has_other_refs(self) -> bool:
        # A branch may be named refs/…, which git tries for a name that is no ref itself.
        others = ("packed-refs", "reftable", "refs/heads/refs", "refs/tags/refs", "refs/refs")
        return any((self._directory / name).exists() for name in others)

    def write_ref(self, name: str, sha: str) -> None:
        """Make a branch or a tag point at an object, which must be there.

        Raises:
            NotLooseError
        """
        if not _PLAIN_REF.fullmatch(name):
            raise NotLooseError
        self._write_file(name, sha)

    def delete_ref(self, name: str) -> None:
        """Delete a branch or a tag.

        Raises:
            NotLooseError
        """
        if self.find_ref(name) is None:
            raise NotLooseError
        path = self._directory / name
        path.unlink()
        # Its folders may become names of refs again.
        kind = self._directory / "refs" / name.split("/")[1]
        for folder in path.parents:
            if folder == kind or any(folder.iterdir()):
                return
            folder.rmdir()

    def point_head(self, branch: str) -> None:
        """Make a branch the default one.

        Raises:
            NotLooseError
        """
        if not _PLAIN_REF.fullmatch(branch):
            raise NotLooseError
        self._write_file("HEAD", _SYMBOLIC + branch)

    def _text(self, name: str) -> str | None:
        try:
            text = (self._directory / name).read_text(encoding="ascii", errors="replace")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        return text.rstrip("\n")

    def _write_file(self, name: str, text: str) -> None:
        path = self._directory / name
        if path.with_name(f"{path.name}.lock").exists():
            raise NotLooseError
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, f"{text}\n".encode())
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            # It lies below another ref, or others lie below it: git refuses that with its reason.
            raise NotLooseError from None


def _replace(path: Path, content: bytes) -> None:
    """Write a file which is there whole or not at all, as others may read it meanwhile."""
    # Git takes no such file for a ref or an object.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.lock")
    draft.write_bytes(content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
