"""Archives of small commits, made without a process of git."""

from __future__ import annotations

import io
import tarfile
import zlib
from typing import TYPE_CHECKING, Final

from github_test_server.loose_objects import LooseFiles, NotLooseError

if TYPE_CHECKING:
    from github_test_server.objects import ParsedCommit, TreeRow

#: Larger ones are streamed by git.
_FILES: Final = 100
_BYTES: Final = 200_000
#: What fits into the fixed fields of a header.
_PATH: Final = 100
_GZIP: Final = 31
#: As of `git archive`, whose umask is 002.
_FILE_MODES: Final = {"100644": 0o664, "100755": 0o775}


def write_archive(
    files: LooseFiles, commit: ParsedCommit, rows: list[TreeRow], *, prefix: str
) -> bytes:
    """Return a tar.gz with every row of the commit's recursive listing below the prefix.

    Raises:
        NotLooseError: git has to make it.
    """
    _check(rows, prefix)
    made = io.BytesIO()
    comment = {"comment": commit.sha}
    with tarfile.open(
        fileobj=made, mode="w", format=tarfile.PAX_FORMAT, pax_headers=comment
    ) as archive:
        when = int(commit.committer.date.timestamp())
        archive.addfile(_header(prefix.rstrip("/"), when, tarfile.DIRTYPE, 0o775))
        for row in rows:
            _add(archive, files, row, f"{prefix}{row.path.decode()}", when)
    compressing = zlib.compressobj(wbits=_GZIP)
    return compressing.compress(made.getvalue()) + compressing.flush()


def _check(rows: list[TreeRow], prefix: str) -> None:
    names = [row.path.rpartition(b"/")[2] for row in rows]
    if (
        len(rows) > _FILES
        or sum(row.size or 0 for row in rows) > _BYTES
        # It says which files are left out, or changed.
        or b".gitattributes" in names
        or any(len(prefix) + len(row.path) + 1 >= _PATH for row in rows)
        or not all(row.path.isascii() for row in rows)
        or not prefix.isascii()
    ):
        raise NotLooseError


def _add(archive: tarfile.TarFile, files: LooseFiles, row: TreeRow, path: str, when: int) -> None:
    if row.type != "blob":
        archive.addfile(_header(path, when, tarfile.DIRTYPE, 0o775))
        return
    found = files.read(row.sha)
    if found is None:
        raise NotLooseError
    if row.mode == "120000":
        target = found[1].decode(errors="replace")
        if not target.isascii() or len(target) >= _PATH:
            raise NotLooseError
        header = _header(path, when, tarfile.SYMTYPE, 0o777)
        header.linkname = target
        archive.addfile(header)
        return
    header = _header(path, when, tarfile.REGTYPE, _FILE_MODES[row.mode])
    header.size = len(found[1])
    archive.addfile(header, io.BytesIO(found[1]))


def _header(path: str, when: int, kind: bytes, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.mtime, header.type, header.mode = when, kind, mode
    header.uname = header.gname = "root"
    return header
