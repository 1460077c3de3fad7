"""Git objects, and the one long-lived git process which reads them."""

from __future__ import annotations

import re
import threading
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self

from github_test_server import git
from github_test_server.loose_objects import LooseFiles, NotLooseError

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

ObjectType = Literal["commit", "tree", "blob", "tag"]

_ACTOR = re.compile(rb"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<seconds>-?\d+)")
# Anything else is an echo of the name and "missing" or "ambiguous"; a name may look like parts of
# this.
_HEADER = re.compile(rb"(?P<sha>[0-9a-f]{40}) (?P<type>commit|tree|blob|tag) (?P<size>\d+)\n")
_SHA = re.compile(r"[0-9a-f]{40}")
_SIMPLE = re.compile(
    r"(?P<name>HEAD|[0-9a-f]{40}|refs/[^\^:]+)"
    r"(?:\^\{(?P<kind>commit|tree)\}|:(?P<path>(?:[\w-][\w.-]*(?:/[\w-][\w.-]*)*)?))?"
)
#: What an object of this type leads to: its first line names that.
_LEADS = {"tag": b"object ", "commit": b"tree "}
_TYPES: dict[bytes, ObjectType] = {
    b"commit": "commit",
    b"tree": "tree",
    b"blob": "blob",
    b"tag": "tag",
}


@dataclass(frozen=True, slots=True)
class GitObject:
    sha: str
    type: ObjectType
    data: bytes


@dataclass(frozen=True, slots=True)
class GitActor:
    """An author or committer line."""

    name: str
    email: str
    date: datetime

    @classmethod
    def parse(cls, line: bytes) -> Self:
        found = _ACTOR.match(line)
        if found is None:
            return cls("", "", datetime.fromtimestamp(0, UTC))
        date = datetime.fromtimestamp(int(found["seconds"]), UTC)
        return cls(
            found["name"].decode(errors="replace"), found["email"].decode(errors="replace"), date
        )


@dataclass(frozen=True, slots=True)
class ParsedCommit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: GitActor
    committer: GitActor
    message: str

    @classmethod
    def parse(cls, found: GitObject) -> Self:
        head, _, message = found.data.partition(b"\n\n")
        fields = [line.partition(b" ")[::2] for line in head.split(b"\n")]
        named = dict(reversed(fields))
        return cls(
            sha=found.sha,
            tree=named[b"tree"].decode(),
            parents=tuple(value.decode() for name, value in fields if name == b"parent"),
            author=GitActor.parse(named[b"author"]),
            committer=GitActor.parse(named[b"committer"]),
            message=message.removesuffix(b"\n").decode(errors="replace"),
        )


@dataclass(frozen=True, slots=True)
class TreeRow:
    """An entry of a tree. `path` is relative to the listed tree; `size`: a blob's, in bytes."""

    path: bytes
    mode: str
    type: Literal["blob", "tree", "commit"]
    sha: str
    size: int | None


def tree_rows(data: bytes) -> list[tuple[bytes, bytes, str]]:
    """Return (mode, name, sha) of each entry of a tree object."""
    rows, position = [], 0
    while position < len(data):
        space = data.index(b" ", position)
        end = data.index(b"\0", space)
        rows.append((data[position:space], data[space + 1 : end], data[end + 1 : end + 21].hex()))
        position = end + 21
    return rows


def _next(found: GitObject) -> str | None:
    """Return the sha of what a tag is of, or of a commit's tree."""
    if found.type not in _LEADS:
        return None
    line = found.data.partition(b"\n")[0]
    return line.removeprefix(_LEADS[found.type]).decode()


class ObjectReader:
    """Reads objects of one repository, from any thread.

    What does not lie in files of its own is read through `git cat-file --batch`. A read blocks for
    some 50 microseconds, less than handing it to another thread would cost. The process starts at
    the first such read, starts again if it has died, and sees what other processes add.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = LooseFiles(directory)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._finalizer: weakref.finalize[[subprocess.Popen[bytes]], ObjectReader] | None = None

    @property
    def process_id(self) -> int | None:
        """The id of the git process; None while none was started."""
        return None if self._process is None else self._process.pid

    def read(self, expression: str) -> GitObject | None:
        """Return what a name such as a sha or `refs/heads/main^{commit}` stands for, or None."""
        try:
            return self._loose(expression)
        except NotLooseError:
            return self._read(expression)

    def _loose(self, expression: str) -> GitObject | None:
        name = _SIMPLE.fullmatch(expression)
        if name is None:
            raise NotLooseError
        if name["path"] is not None:
            return self._below(f"{name['name']}^{{tree}}", name["path"])
        sha: str | None = name["name"]
        if sha is not None and not _SHA.fullmatch(sha):
            sha = self._files.find_ref(sha)
        while sha is not None and (found := self._loose_object(sha)) is not None:
            if name["kind"] in {None, found.type}:
                return found
            sha = _next(found)
        return None

    def _below(self, tree: str, path: str) -> GitObject | None:
        found = self._loose(tree)
        for part in path.split("/") if path else []:
            if found is None or found.type != "tree":
                return None
            sha = {name: sha for _, name, sha in tree_rows(found.data)}.get(part.encode())
            found = None if sha is None else self._loose_object(sha)
        return found

    def _loose_object(self, sha: str) -> GitObject | None:
        found = self._files.read(sha)
        return None if found is None else GitObject(sha, _TYPES[found[0].encode()], found[1])

    def _read(self, expression: str) -> GitObject | None:
        with self._lock:
            for _ in range(2):
                try:
                    return self._ask(expression)
                except (BrokenPipeError, EOFError):
                    self._end()
        if (self._directory / "HEAD").exists():
            raise git.GitError("git cat-file ended twice")
        # A service may ask for a repository whose test has ended.
        return None

    def close(self) -> None:
        """End the process; a later read starts another."""
        with self._lock:
            self._end()

    def _ask(self, expression: str) -> GitObject | None:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise git.GitError("git cat-file was started without pipes")
        process.stdin.write(expression.encode() + b"\n")
        process.stdin.flush()
        header = process.stdout.readline()
        if not header:
            raise EOFError
        found = _HEADER.fullmatch(header)
        if found is None:
            return None
        size = int(found["size"])
        data = process.stdout.read(size + 1)
        if len(data) != size + 1:
            raise EOFError
        return GitObject(found["sha"].decode(), _TYPES[found["type"]], data[:-1])

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = git.start(self._directory, "cat-file", "--batch")
            self._finalizer = weakref.finalize(self, git.end, self._process)
        return self._process

    def _end(self) -> None:
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._finalizer = None
