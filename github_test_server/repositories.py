"""A bare git repository: written by tests and the demo, read by the server."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self, cast

from github_test_server import git
from github_test_server.commit_stream import Changes, NewCommit
from github_test_server.loose_objects import LooseFiles, NotLooseError
from github_test_server.objects import (
    GitObject,
    ObjectReader,
    ParsedCommit,
    TreeRow,
    tree_rows,
)
from github_test_server.small_archives import write_archive
from github_test_server.small_commits import write_commit

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

FULL_SHA = re.compile(r"[0-9a-f]{40}")
_SHORT_SHA = re.compile(r"[0-9a-f]{7,39}")
# https://git-scm.com/docs/git-check-ref-format; it also keeps revision syntax such as main~1 or
# :/text out.
_REF = re.compile(
    r"(?![/.-])(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)|[/.]$))[^\x00-\x20\x7f~^:?*\[\\]+"
)
_KEPT_LISTINGS = 32
_ARCHIVE_CHUNK = 65_536
_AUTHOR = ("Test Author", "author@example.invalid")

ChangeStatus = Literal["added", "removed", "modified", "renamed"]
_KINDS: dict[bytes, Literal["blob", "tree", "commit"]] = {b"40000": "tree", b"160000": "commit"}
_STATUSES: dict[bytes, ChangeStatus] = {b"A": "added", b"D": "removed", b"R": "renamed"}


@dataclass(frozen=True, slots=True)
class DiffEntry:
    """A file that a commit changed. `sha` is that of its blob, the old one if it was removed.

    `additions` and `deletions` count lines and are 0 for binary files.
    """

    path: bytes
    previous_path: bytes | None
    status: ChangeStatus
    sha: str
    additions: int
    deletions: int


class Repository:
    """A bare repository in a directory; other processes may write to it at any time.

    Refs are taken as GitHub takes them: a full sha, `HEAD`, a branch, a tag, `heads/…`, `tags/…`,
    `refs/…` or at least seven digits of a sha. Methods that look something up return None where
    there is nothing. Safe to use from several threads. `close()` ends the reading process; a later
    read starts it again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.files = LooseFiles(self.path)
        self.reader = ObjectReader(self.path)
        self._write_lock = threading.Lock()
        self._listings: OrderedDict[tuple[str, bool], list[TreeRow]] = OrderedDict()
        self._listings_lock = threading.Lock()

    @classmethod
    def init(cls, path: Path, *, default_branch: str = "main") -> Self:
        """Make an empty bare repository; doing so again to an existing one keeps what it holds."""
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.files.initialise()
        repository.set_default_branch(default_branch)
        return repository

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.reader.close()

    def commit(
        self,
        changes: Changes,
        *,
        message: str = "Change files",
        branch: str | None = None,
        parent: str | None = None,
        replace_all: bool = False,
        date: datetime | None = None,
        author: tuple[str, str] = _AUTHOR,
    ) -> str:
        """Commit the changes on top of the branch and return the commit's sha.

        Args:
            changes: path -> bytes, an Entry (executable, symlink, submodule) or None to delete.
            message: the commit's message.
            branch: without "refs/heads/"; the default branch if not given. It is made if need be.
            parent: a sha to build on instead of the branch's head: a force push.
            replace_all: whether the tree shall hold nothing but `changes`.
            date: of author and committer, with a time zone; now if not given.
            author: name and email address of author and committer.
        """
        ref = f"refs/heads/{branch or self.default_branch}"
        with self._write_lock:
            head = self.reader.read(f"{ref}^{{commit}}")
            new = NewCommit(
                branch=ref,
                parent=parent or (head.sha if head else None),
                message=message,
                author=author,
                date=date or datetime.now(UTC),
                changes=changes,
                replace_all=replace_all,
            )
            try:
                return write_commit(self.files, new)
            except NotLooseError:
                out = git.run(self.path, "fast-import", "--quiet", "--force", data=new.stream())
        return out.decode().strip()

    def reset_branch(self, branch: str, sha: str) -> None:
        """Point the branch at a commit, as a force push does."""
        self._update_ref(f"refs/heads/{branch}", sha)

    def _update_ref(self, name: str, sha: str) -> None:
        found = self.reader.read(sha) if FULL_SHA.fullmatch(sha) else None
        if found is not None and found.type == "commit":
            with contextlib.suppress(NotLooseError):
                self.files.write_ref(name, sha)
                return
        git.run(self.path, "update-ref", name, sha)

    def delete_branch(self, branch: str) -> None:
        self._delete_ref(f"refs/heads/{branch}")

    def _delete_ref(self, name: str) -> None:
        try:
            self.files.delete_ref(name)
        except NotLooseError:
            git.run(self.path, "update-ref", "-d", name)

    def tag(self, name: str, sha: str, *, message: str | None = None) -> None:
        """Make or move a tag: an annotated one if there is a message."""
        target = sha if message is None else self._tag_object(name, sha, message)
        self._update_ref(f"refs/tags/{name}", target)

    def delete_tag(self, name: str) -> None:
        self._delete_ref(f"refs/tags/{name}")

    def _tag_object(self, name: str, sha: str, message: str) -> str:
        tagger = f"{_AUTHOR[0]} <{_AUTHOR[1]}> {int(datetime.now(UTC).timestamp())} +0000"
        text = f"object {sha}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}\n"
        return git.run(self.path, "mktag", data=text.encode()).decode().strip()

    @property
    def default_branch(self) -> str:
        head = (self.path / "HEAD").read_text(encoding="utf-8")
        return head.removeprefix("ref: ").strip().removeprefix("refs/heads/")

    def set_default_branch(self, branch: str) -> None:
        try:
            self.files.point_head(f"refs/heads/{branch}")
        except NotLooseError:
            git.run(self.path, "symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def is_empty(self) -> bool:
        """Return whether there is no branch and no tag."""
        try:
            return not self.files.has_refs()
        except NotLooseError:
            return not git.run(self.path, "for-each-ref", "--count=1", "refs/heads", "refs/tags")

    def find_commit(self, ref: str) -> ParsedCommit | None:
        found = self._find(ref, "commit")
        return ParsedCommit.parse(found) if found else None

    def find_tree(self, ref: str) -> str | None:
        """Return the sha of a tree, given that sha, a commit's or a ref."""
        found = self._find(ref, "tree")
        return found.sha if found else None

    def find_ref(self, name: str) -> GitObject | None:
        """Return the object that `heads/…` or `tags/…` points at; a tag object is not followed."""
        return self.reader.read(f"refs/{name}") if _is_ref(name) else None

    def resolve(self, expression: str) -> GitObject | None:
        """Return the object of a name in git's rev-parse syntax, such as `main:config`, `<sha>:`.

        https://git-scm.com/docs/git-rev-parse#_specifying_revisions. A bare repository has no index
        and names nothing by a message, so that an expression never begins with a colon.
        """
        if not expression or expression.startswith(":") or "\n" in expression:
            return None
        return self.reader.read(expression)

    def read_blob(self, sha: str) -> bytes | None:
        found = self.reader.read(sha) if FULL_SHA.fullmatch(sha) else None
        return found.data if found and found.type == "blob" else None

    def _find(self, ref: str, kind: Literal["commit", "tree"]) -> GitObject | None:
        candidates = (self.reader.read(f"{name}^{{{kind}}}") for name in _meanings(ref))
        return next((found for found in candidates if found), None)

    def list_tree(self, tree: str, *, recursive: bool) -> list[TreeRow]:
        """List a tree by its sha, in git's order; a recursive listing has folders too."""
        key = (tree, recursive)
        with self._listings_lock:
            if key in self._listings:
                self._listings.move_to_end(key)
                return self._listings[key]
        try:
            listing = list(self._loose_rows(tree, recursive=recursive))
        except NotLooseError:
            options = ["-r", "-t"] if recursive else []
            out = git.run(self.path, "ls-tree", "--long", "-z", *options, tree)
            listing = [_tree_entry(line) for line in out.split(b"\0")[:-1]]
        with self._listings_lock:
            self._listings[key] = listing
            if len(self._listings) > _KEPT_LISTINGS:
                self._listings.popitem(last=False)
        return listing

    def _loose_rows(self, tree: str, *, recursive: bool, within: bytes = b"") -> Iterator[TreeRow]:
        found = self.files.read(tree)
        if found is None or found[0] != "tree":
            raise NotLooseError
        for mode, name, sha in tree_rows(found[1]):
            kind = _KINDS.get(mode, "blob")
            size = self.files.size(sha) if kind == "blob" else None
            yield TreeRow(within + name, mode.decode().zfill(6), kind, sha, size)
            if recursive and kind == "tree":
                yield from self._loose_rows(sha, recursive=True, within=within + name + b"/")

    def find_entry(self, tree: str, path: bytes) -> TreeRow | None:
        """Return the entry at a path below a tree; its own `path` is the name alone."""
        *folders, name = path.split(b"/")
        for folder in folders:
            inner = self._child(tree, folder)
            if inner is None or inner.type != "tree":
                return None
            tree = inner.sha
        return self._child(tree, name)

    def _child(self, tree: str, name: bytes) -> TreeRow | None:
        return next(
            (entry for entry in self.list_tree(tree, recursive=False) if entry.path == name), None
        )

    def branches(self) -> list[tuple[str, str]]:
        """Return (name, commit sha) of every branch, by name."""
        with contextlib.suppress(NotLooseError):
            found = self.files.refs("refs/heads")
            return [(name.removeprefix("refs/heads/"), sha) for name, sha in found]
        out = git.run(
            self.path, "for-each-ref", "--format=%(refname:lstrip=2)%00%(objectname)", "refs/heads"
        )
        lines = (line.split("\0") for line in out.decode(errors="replace").splitlines())
        return [(name, sha) for name, sha in lines]

    def refs(self, beginning: str) -> list[tuple[str, GitObject]]:
        """Return the refs whose names after `refs/` begin with this, with their targets."""
        names = [name for name in self._ref_names() if name.startswith(beginning)]
        return [(name, found) for name in names if (found := self.find_ref(name))]

    def _ref_names(self) -> list[str]:
        with contextlib.suppress(NotLooseError):
            found = [*self.files.refs("refs/heads"), *self.files.refs("refs/tags")]
            return [name.removeprefix("refs/") for name, _ in found]
        out = git.run(
            self.path, "for-each-ref", "--format=%(refname:lstrip=1)", "refs/heads", "refs/tags"
        )
        return out.decode(errors="replace").splitlines()

    def history(
        self, sha: str, *, path: str | None, skip: int, count: int
    ) -> tuple[list[ParsedCommit], int]:
        """Return a page of the commits from a sha backwards, and how many there are in all."""
        limits = ["--", path] if path else []
        total = int(git.run(self.path, "rev-list", "--count", sha, *limits))
        page = git.run(
            self.path, "rev-list", f"--skip={skip}", f"--max-count={count}", sha, *limits
        )
        commits = (self.find_commit(line) for line in page.decode().split())
        return [commit for commit in commits if commit], total

    def changes(self, commit: ParsedCommit) -> list[DiffEntry]:
        """Return what a commit changed against its first parent, with renames found."""
        against = [commit.parents[0], commit.sha] if commit.parents else ["--root", commit.sha]
        out = git.run(
            self.path,
            "diff-tree",
            "-r",
            "-z",
            "-M",
            "--raw",
            "--numstat",
            "--no-abbrev",
            "--no-commit-id",
            *against,
        )
        return _file_changes(out.split(b"\0")[:-1])

    def archive(self, sha: str, *, prefix: str) -> Generator[bytes, None, None]:
        """Yield a commit's tar.gz in pieces; every path in it begins with the prefix."""
        commit = self.find_commit(sha)
        if commit is not None:
            with contextlib.suppress(NotLooseError):
                rows = self.list_tree(commit.tree, recursive=True)
                yield write_archive(self.files, commit, rows, prefix=prefix)
                return
        process = git.start(self.path, "archive", "--format=tar.gz", f"--prefix={prefix}", sha)
        try:
            while process.stdout is not None and (piece := process.stdout.read(_ARCHIVE_CHUNK)):
                yield piece
        finally:
            git.end(process)

    def disk_usage(self) -> int:
        """Return the size of all files of the repository in bytes."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())


def _is_ref(name: str) -> bool:
    return _REF.fullmatch(name) is not None


def _meanings(ref: str) -> list[str]:
    if ref == "HEAD" or FULL_SHA.fullmatch(ref):
        return [ref]
    if not _is_ref(ref):
        return []
    if ref.startswith(("refs/heads/", "refs/tags/")):
        # GitHub refuses branches and tags whose names begin with `refs/`.
        return [ref]
    names = [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    if ref.startswith(("heads/", "tags/")):
        names.append(f"refs/{ref}")
    if _SHORT_SHA.fullmatch(ref):
        names.append(ref)
    return names


def _tree_entry(line: bytes) -> TreeRow:
    facts, _, path = line.partition(b"\t")
    mode, kind, sha, size = facts.decode().split()
    return TreeRow(
        path=path,
        mode=mode,
        type=cast("Literal['blob', 'tree', 'commit']", kind),
        sha=sha,
        size=None if size == "-" else int(size),
    )


def _file_changes(fields: list[bytes]) -> list[DiffEntry]:
    """Parse `git diff-tree -z --raw --numstat`: raw lines, then the counts in their order."""
    rest = iter(fields)
    raw: list[tuple[list[bytes], bytes | None, bytes]] = []
    counts: list[tuple[int, int]] = []
    for field in rest:
        if field.startswith(b":"):
            facts = field[1:].split()
            first = next(rest)
            renamed = facts[4].startswith(b"R")
            raw.append((facts, first, next(rest)) if renamed else (facts, None, first))
        else:
            added, deleted, path = field.split(b"\t", 2)
            counts.append((_lines(added), _lines(deleted)))
            if not path:
                next(rest)
                next(rest)
    return [
        _file_change(facts, previous, path, count)
        for (facts, previous, path), count in zip(raw, counts, strict=True)
    ]


def _lines(count: bytes) -> int:
    return 0 if count == b"-" else int(count)


def _file_change(
    facts: list[bytes], previous: bytes | None, path: bytes, count: tuple[int, int]
) -> DiffEntry:
    _, _, old_sha, new_sha, letter = facts
    status = _STATUSES.get(letter[:1], "modified")
    sha = old_sha if status == "removed" else new_sha
    return DiffEntry(path, previous, status, sha.decode(), *count)
