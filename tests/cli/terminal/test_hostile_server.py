"""Commands against a hostile server: bounded memory, disk and time, one line, nothing left."""

import gzip
import hashlib
import io
import itertools
import json
import math
import os
import signal
import tarfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from benchmark_manager.cli.releases.destination import ReleaseFolder
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.client import shapes
from benchmark_manager.client.client import MAX_VALUES, Client
from benchmark_manager.client.sha256sums import MAX_FILES, digits_of, write_sums
from benchmark_manager.domain.releases.tar import TarGz
from support.commands import run_here
from support.forked_commands import ForkedCommands, Ran, bytes_below, forked_commands
from support.hostile_server import Answer, gzipped_zeros, head, hostile_server

MB: Final = 1_000_000
#: How much more memory a refused command may take than one that has nothing to do.
MOST_MEMORY: Final = 100 * MB
#: A release in a temporary folder: its right files, and one with too many bytes.
MOST_DISK: Final = 17 * MB
EMPTY: Final = hashlib.sha256(b"").hexdigest()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedCommands]:
    with forked_commands(tmp_path_factory.mktemp("commands")) as commands:
        yield commands


@pytest.fixture(scope="module")
def idle_memory(run: ForkedCommands) -> int:
    """The memory of a command that does nothing."""
    with hostile_server(lambda _: [head(404)]) as server:
        return run("release", "show", "0" * 64, "--url", server.url).memory


# A release, and what may be wrong with it

FILES: Final = {f"config/{name}.yaml": f"{name}: 1\n".encode() * 100 for name in "abcdef"}


def sums_of(files: dict[str, bytes]) -> bytes:
    return write_sums({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})


def archive_of(files: dict[str, bytes]) -> bytes:
    archive = TarGz()
    return b"".join(
        [*(archive.add(path, data) for path, data in sorted(files.items())), archive.end()]
    )


def whole(body: bytes, status: int = 200, **headers: object) -> list[bytes]:
    return [head(status, Content_Length=len(body), **headers), body]


def problem(body: bytes, **headers: object) -> list[bytes]:
    return whole(body, 404, Content_Type="application/problem+json", **headers)


def endless(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


def packed_tar(*blocks: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for block in itertools.chain(*blocks):
        yield packer.compress(block)
    yield packer.flush()


def member(name: str, kind: bytes, size: int, **values: Any) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    for key, value in values.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


EMPTY_BLOCKS: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 100_000


def release_server(
    *,
    sums: Iterable[bytes] | None = None,
    archive: Iterable[bytes] | None = None,
    file: Iterable[bytes] | None = None,
) -> Answer:
    """A service with the release of FILES, except for the given answers."""

    def answer(path: str) -> Iterable[bytes]:
        if path.endswith("/SHA256SUMS"):
            return whole(sums_of(FILES)) if sums is None else sums
        if path.endswith("/archive"):
            return whole(archive_of(FILES)) if archive is None else archive
        return whole(FILES[path.split("/files/", 1)[1]]) if file is None else file

    return answer


@dataclass(frozen=True)
class Attack:
    """What the server does, and how the command must end."""

    answer: Callable[[], Answer]
    code: int
    said: str
    digest: Callable[[], str] = lambda: digits_of(sums_of(FILES))
    options: tuple[str, ...] = field(default=())


def bad_sums(make: Callable[[], bytes], code: int, said: str) -> Attack:
    sums = cache(make)
    return Attack(lambda: release_server(sums=whole(sums())), code, said, lambda: digits_of(sums()))


def listed(paths: Iterable[str]) -> bytes:
    return "".join(f"{EMPTY}  {path}\n" for path in paths).encode()


def other_archive(*pieces: Iterable[bytes]) -> Attack:
    """An archive that is not used to the end; the single files are right."""
    return Attack(
        lambda: release_server(archive=itertools.chain([head()], packed_tar(*pieces))),
        0,
        "now: 6 files",
    )


ATTACKS: Final = {
    "endless sums": Attack(
        lambda: release_server(sums=itertools.chain([head()], endless(b"a" * 65_536))),
        1,
        "(release_too_large)",
    ),
    "sums that unpack to 600 MB": Attack(
        lambda: release_server(sums=whole(gzipped_zeros(600), Content_Encoding="gzip")),
        1,
        "(release_too_large)",
    ),
    "sums packed twice": Attack(
        lambda: release_server(
            sums=whole(gzip.compress(gzipped_zeros(600)), Content_Encoding="gzip, gzip")
        ),
        4,
        "content coding that was not requested",
    ),
    "sums in another coding": Attack(
        lambda: release_server(sums=whole(b"x", Content_Encoding="br")), 4, "content coding"
    ),
    "sums shorter than announced": Attack(
        lambda: release_server(sums=[head(Content_Length=1000), b"x"]), 4, "cannot be reached"
    ),
    "too many files": bad_sums(
        lambda: listed(f"{n:06}" for n in range(MAX_FILES + 1)),
        1,
        "over 100000 files, which is more than pull takes. (rel",
    ),
    "too many folders": bad_sums(
        lambda: listed(f"{n:06}/" + "a/" * 90 + "f" for n in range(2000)),
        1,
        "over 100000 folders, or too deep ones",
    ),
    "paths of 32 MB": bad_sums(
        lambda: listed(
            f"{n:04}" + "".join(f"/{'b' * 200}" for _ in range(19)) for n in range(8000)
        ),
        1,
        "(release_too_large)",
    ),
    "a path too long": bad_sums(lambda: listed(["a/" * 2000 + "b"]), 1, "(path_unsafe)"),
    "a path too deep": bad_sums(lambda: listed(["a/" * 100 + "b"]), 1, "(path_unsafe)"),
    "a name too long": bad_sums(lambda: listed(["a" * 256]), 1, "(path_unsafe)"),
    "a path with NUL": bad_sums(lambda: listed(["a\0b"]), 1, "(path_unsafe)"),
    "an absolute path": bad_sums(lambda: listed(["/etc/passwd"]), 1, "(path_unsafe)"),
    "a path which leaves the folder": bad_sums(lambda: listed(["../../x"]), 1, "(path_unsafe)"),
    "a name twice": bad_sums(lambda: listed(["a", "a"]), 1, "(release_unreadable)"),
    "a name out of order": bad_sums(lambda: listed(["b", "a"]), 1, "(release_unreadable)"),
    "a file where a folder has to be": bad_sums(
        lambda: listed(["a", "a!", "a/b"]), 1, "(release_unreadable)"
    ),
    "a name for the terminal": bad_sums(
        lambda: listed(["a\x1b]0;pwned\x07/../b\u202e"]), 1, r"'a\x1b]0;pwned\x07/../b\u202e'"
    ),
    "an endless problem": Attack(
        lambda: release_server(
            sums=itertools.chain(
                [head(404, Content_Type="application/problem+json")], endless(b" " * 65_536)
            )
        ),
        4,
        "more than 1048576 bytes",
    ),
    "a problem that unpacks to 600 MB": Attack(
        lambda: release_server(sums=problem(gzipped_zeros(600), Content_Encoding="gzip")),
        4,
        "more than 1048576 bytes",
    ),
    "a problem nested deeply": Attack(
        lambda: release_server(sums=problem(b'{"code":"a","detail":' + b"[" * 900_000)),
        4,
        "it answers 404",
    ),
    "a problem with 50,000 fields at fault": Attack(
        lambda: release_server(
            sums=problem(
                json.dumps(
                    {"code": "c", "detail": "d" * 9000, "errors": [{"field": "f"}] * 50_000}
                ).encode()
            )
        ),
        1,
        "... and 49980 more",
    ),
    "a problem in a codec which takes quadratic time": Attack(
        lambda: release_server(
            sums=whole(
                json.dumps({"code": "c", "detail": "d" * 500_000}).encode(),
                404,
                Content_Type="application/problem+json; charset=punycode",
            )
        ),
        1,
        "(c)",
    ),
    "a redirect": Attack(
        lambda: release_server(sums=whole(b"", 302, Location="http://169.254.169.254/\x1b[31m")),
        4,
        "redirects to",
    ),
    "a megabyte of headers": Attack(
        lambda: release_server(sums=[b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000 + b"\r\n"]),
        4,
        "cannot be reached",
    ),
    "no HTTP": Attack(lambda: release_server(sums=endless(b"\0" * 65_536)), 4, "cannot be reached"),
    "an endless archive of nothing": Attack(
        lambda: release_server(archive=itertools.chain([head()], endless(EMPTY_BLOCKS[10:]))),
        0,
        "now: 6 files",
    ),
    "an archive of empty blocks": Attack(
        lambda: release_server(
            archive=itertools.chain([head(), EMPTY_BLOCKS], endless(EMPTY_BLOCKS[10:]))
        ),
        0,
        "now: 6 files",
    ),
    "an archive in a content coding": Attack(
        lambda: release_server(archive=whole(gzipped_zeros(600), Content_Encoding="gzip")),
        0,
        "now: 6 files",
    ),
    "an archive with a pax header of 8 GB": other_archive(
        [member("x", b"x", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
    ),
    "an archive with a name of 8 GB": other_archive(
        [member("x", b"L", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
    ),
    "an archive with a sparse file": other_archive(
        [member("config/a.yaml", b"S", 512)], itertools.repeat(bytes(512), 3)
    ),
    "an archive with other files": other_archive(
        [member("x", b"0", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
    ),
    "an archive with a symbolic link": other_archive(
        [member("config/a.yaml", b"2", 0, linkname="/etc/passwd")]
    ),
    "an archive with a hard link": other_archive(
        [member("config/a.yaml", b"1", 0, linkname="/etc/passwd")]
    ),
    "an archive with a device": other_archive([member("config/a.yaml", b"3", 0)]),
    "an archive with a pipe": other_archive([member("config/a.yaml", b"6", 0)]),
    "an archive with a file of 8 GB": Attack(
        lambda: release_server(
            archive=itertools.chain(
                [head()],
                packed_tar(
                    [member("config/a.yaml", b"0", 8_000_000_000)], itertools.repeat(bytes(MB), 200)
                ),
            )
        ),
        1,
        "a file 'config/a.yaml' of over 15728640 bytes",
    ),
    "an endless file": Attack(
        lambda: release_server(
            archive=whole(b""), file=itertools.chain([head()], endless(b"a" * 65_536))
        ),
        1,
        "(release_too_large)",
    ),
    "a file that unpacks to 600 MB": Attack(
        lambda: release_server(
            archive=whole(b""), file=whole(gzipped_zeros(600), Content_Encoding="gzip")
        ),
        1,
        "(release_too_large)",
    ),
    "other bytes": Attack(
        lambda: release_server(archive=whole(b""), file=whole(b"other")), 3, "(digest_mismatch)"
    ),
    "a release of more than --max-size": Attack(
        lambda: release_server(archive=whole(b"")),
        1,
        "over 1000 bytes",
        options=("--max-size", "1000"),
    ),
}


def watched(run: ForkedCommands, folder: Path, *arguments: str) -> tuple[Ran, int]:
    """Run the command, and return with it the most bytes that a folder had meanwhile."""
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.01):
            most = max(most, bytes_below(folder))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        return run(*arguments), most
    finally:
        ended.set()
        watching.join()


@pytest.mark.parametrize("name", ATTACKS)
def test_a_pull_from_a_hostile_server_is_bounded_and_leaves_nothing(
    name: str, run: ForkedCommands, idle_memory: int, tmp_path: Path
) -> None:
    attack = ATTACKS[name]
    target = tmp_path / "release"
    with hostile_server(attack.answer()) as server:
        arguments = (
            "pull",
            attack.digest(),
            "--to",
            str(target),
            "--url",
            server.url,
            "--patience",
            "0",
        )
        ran, most_disk = watched(run, tmp_path, *arguments, *attack.options)
    assert ran.code == attack.code, ran.err
    assert attack.said in ran.err
    assert "Traceback" not in ran.err
    assert all(line.isprintable() for line in ran.err.splitlines())
    assert len(ran.err) < 50_000
    assert ran.memory - idle_memory < MOST_MEMORY
    assert most_disk < MOST_DISK
    if attack.code == 0:
        found = {
            str(path.relative_to(target)): path.read_bytes()
            for path in target.rglob("*")
            if path.is_file()
        }
        assert found == FILES
        assert not any(path.is_symlink() for path in target.rglob("*"))
    assert list(tmp_path.iterdir()) == ([target] if attack.code == 0 else [])


# Lists, and single resources

ROW: Final[dict[str, Any]] = {
    "id": "0" * 24,
    "name": "x",
    "github_web_url": "u",
    "resolved_branch": None,
    "ref": None,
    "sync_status": "ok",
    "paused": False,
    "last_sync": None,
}
PAGE: Final = json.dumps([ROW] * 20_000).encode()
LISTS: Final[dict[str, tuple[Callable[[], Iterable[bytes]], str]]] = {
    "an endless page": (lambda: itertools.chain([head()], endless(b" " * 65_536)), "more than"),
    "a page that unpacks to 600 MB": (
        lambda: whole(gzipped_zeros(600), Content_Encoding="gzip"),
        "more than",
    ),
    "a page of many values": (
        lambda: whole(b"[" + b"[],[]," * (MAX_VALUES // 4 + 1) + b"1]"),
        "values",
    ),
    "endless pages": (
        lambda: whole(PAGE, Link='</projects?cursor=x>; rel="next"'),
        "over 200000 rows",
    ),
    "empty pages": (lambda: whole(b"[]", Link='</projects?cursor=x>; rel="next"'), "an empty page"),
    "a next page without a cursor": (
        lambda: whole(json.dumps([ROW]).encode(), Link='<http://[>; rel="next"'),
        "no cursor",
    ),
    "a page nested deeply": (lambda: whole(b"[" * (MAX_VALUES + 1)), "values"),
    "a number of a million digits": (
        lambda: whole(b"[" + b"1" * 1_000_000 + b"]"),
        "without the expected JSON",
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_from_a_hostile_server_is_bounded(
    name: str, run: ForkedCommands, idle_memory: int
) -> None:
    answer, said = LISTS[name]
    with hostile_server(lambda _: answer()) as server:
        ran = run("projects", "list", "--url", server.url)
    assert (ran.code, ran.out) == (4, ""), ran.err
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    # The rows which came before are held, and the page itself twice.
    assert ran.memory - idle_memory < 350 * MB


VALUES: Final[dict[Any, Any]] = {
    str: "a\x1b[31m\x9b31m\r\n\u202e\ud800",
    int: 10**18,
    bool: True,
    dict: {"a\x1b[31m": "\x1b[31m"},
    object: ["\x1b[31m", None],
    shapes.Number(): -1e308,
}


def example(shape: shapes.Shape) -> Any:
    """A value of a shape, as hostile as possible."""
    if isinstance(shape, dict):
        return {name: example(inner) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [example(shape[0])] * 2
    if isinstance(shape, shapes.OrNull):
        return example(shape.shape)
    if isinstance(shape, shapes.Members):
        return {VALUES[str]: example(shape.shape)}
    if isinstance(shape, shapes.Text):
        return "0" * 24 if shape is shapes.ID else f"sha256:{EMPTY}"
    return VALUES[shape]


def wrong(shape: shapes.Shape) -> Iterator[Any]:
    """Values that have the shape except for one member each."""
    if isinstance(shape, dict):
        for name, inner in shape.items():
            yield {key: example(value) for key, value in shape.items() if key != name}
            yield from ({**example(shape), name: value} for value in wrong(inner))
    elif isinstance(shape, list):
        yield from ([value] for value in wrong(shape[0]))
    elif isinstance(shape, shapes.OrNull):
        yield from wrong(shape.shape)
    elif isinstance(shape, shapes.Members):
        yield from ({"a": value} for value in wrong(shape.shape))
    if isinstance(shape, shapes.Number):
        yield from (True, "1", math.nan, -math.inf, 10**400)
    elif shape is not object and shape != shapes.OrNull(shapes.Number()):
        yield 1.5


ONE: Final = "0" * 24
#: Each command with the answers that it reads, by the ends of their paths.
COMMANDS: Final[dict[tuple[str, ...], dict[str, shapes.Shape]]] = {
    ("projects", "list"): {"/projects": [shapes.PROJECT]},
    ("projects", "show", ONE): {f"/{ONE}": shapes.PROJECT_DETAIL},
    ("projects", "add", "n", "a/b"): {"/projects": shapes.PROJECT_DETAIL},
    ("files", ONE): {f"/{ONE}": shapes.PROJECT, "/files": [shapes.FILE]},
    ("sync", ONE): {
        f"/{ONE}": shapes.PROJECT,
        "/sync": shapes.PROGRESS,
        f"/syncs/{ONE}": shapes.SYNC,
    },
    ("variants", "list", ONE): {f"/{ONE}": shapes.PROJECT, "/modified-files": [shapes.VARIANT]},
    ("variants", "trash", ONE): {f"/{ONE}": shapes.PROJECT, "/trash": [shapes.TRASHED]},
    ("variants", "history", ONE): {f"/{ONE}": shapes.VARIANT, "/revisions": [shapes.REVISION]},
    ("variants", "diff", ONE, "--keys"): {f"/{ONE}": shapes.VARIANT, "/diff": shapes.DIFF},
    ("variants", "rebase", ONE, "--preview"): {f"/{ONE}": shapes.VARIANT, "/merge": shapes.MERGE},
    ("variants", "rename", ONE, "n"): {f"/{ONE}": shapes.VARIANT},
    ("variants", "edit", ONE, "--description", "d"): {f"/{ONE}": shapes.VARIANT_WITH_CONTENT},
    ("release", "list", ONE): {f"/{ONE}": shapes.PROJECT, "/releases": [shapes.RELEASE]},
    ("release", "create", ONE): {f"/{ONE}": shapes.PROJECT, "/releases": shapes.RELEASE},
    ("release", "show", EMPTY): {f"/{EMPTY}": shapes.RELEASE_DETAIL},
    ("release", "show", f"{ONE}/3"): {
        f"/{ONE}": shapes.SWEEP,
        "/cells/3": shapes.CELL_DETAIL,
        f"/{EMPTY}": shapes.RELEASE_DETAIL,
    },
    ("release", "diff", EMPTY, EMPTY): {f"/{EMPTY}": shapes.COMPARISON},
    ("sweep", "list", ONE): {f"/{ONE}": shapes.PROJECT, "/sweeps": [shapes.SWEEP]},
    ("sweep", "show", ONE): {f"/{ONE}": shapes.SWEEP},
    ("sweep", "preview", "-", "-p", ONE): {
        f"/{ONE}": shapes.PROJECT,
        "/sweeps": shapes.SWEEP_PREVIEW,
    },
    ("sweep", "create", "-", "-p", ONE): {f"/{ONE}": shapes.PROJECT, "/sweeps": shapes.SWEEP},
    ("sweep", "update", ONE, "-"): {f"/{ONE}": shapes.SWEEP},
    ("sweep", "rebase", ONE): {f"/{ONE}": shapes.SWEEP, "/rebase": shapes.SWEEP},
    ("sweep", "cells", ONE): {f"/{ONE}": shapes.SWEEP, "/cells": [shapes.CELL]},
    ("sweep", "diff", ONE, "3"): {f"/{ONE}": shapes.SWEEP, "/cells/3": shapes.CELL_DETAIL},
    ("sweep", "diff", ONE, "3", "--keys"): {
        f"/{ONE}": shapes.SWEEP,
        "/cells/3": shapes.CELL_DETAIL,
    },
    ("result", "list", ONE): {f"/{ONE}": shapes.PROJECT, "/results": [shapes.RESULT]},
    ("result", "show", ONE): {f"/{ONE}": shapes.RESULT},
    ("result", "edit", ONE, "--note", "n"): {f"/{ONE}": shapes.RESULT},
    ("result", "undelete", ONE): {"/undelete": shapes.RESULT},
    ("result", "table", ONE): {f"/{ONE}": shapes.PROJECT, "/table": shapes.RESULT_TABLE},
}


def in_process(*arguments: str) -> Ran:
    # A definition of a sweep, for commands that read one.
    ran = run_here(arguments, "{}")
    return Ran(ran.code, ran.out, ran.err, 0)


def answering(answers: dict[str, Any]) -> Answer:
    def answer(path: str) -> Iterable[bytes]:
        target = path.partition("?")[0]
        ending = max((end for end in answers if target.endswith(end)), key=len)
        return whole(json.dumps(answers[ending]).encode())

    return answer


#: Lines of a content, which is exact in a pipe.
CONTENT: Final = VALUES[str].encode("utf-8", "backslashreplace").decode().splitlines()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_command_writes_control_characters_to_a_terminal(
    command: tuple[str, ...], as_json: bool
) -> None:
    answers = {end: example(shape) for end, shape in COMMANDS[command].items()}
    options = ["--json"] if as_json else []
    with hostile_server(answering(answers)) as server:
        ran = in_process(*command, *options, "--url", server.url)
    assert ran.code == 0, ran.err
    shown = [*ran.out.splitlines(), *ran.err.splitlines()]
    assert all(line.isprintable() for line in shown if line not in CONTENT)
    assert any("1b[31m" in line or line in CONTENT for line in shown) or command[1] in {
        "add",
        "create",
        "edit",
        "rebase",
    }
    if as_json:
        assert json.loads(ran.out) is not None


def test_an_imported_definition_and_its_notes_are_printable() -> None:
    definition = {"name": VALUES[str], "axes": [example(dict)]}
    imported = {"definition": definition, "notes": example([{"code": str, "detail": str}])}
    answers = {f"/{ONE}": example(shapes.PROJECT), "/import": imported}
    with hostile_server(answering(answers)) as server:
        command = ("sweep", "import", "--format", "wandb", "-", "-p", ONE)
        ran = in_process(*command, "--url", server.url)
    assert json.loads(ran.out) == definition
    assert [line for line in (ran.out + ran.err).splitlines() if not line.isprintable()] == []
    assert r"\x1b[31m" in ran.err


def test_no_more_cells_are_pulled_than_a_sweep_may_have(tmp_path: Path) -> None:
    answers = {f"/{ONE}": example(shapes.SWEEP), "/cells": [example(shapes.CELL)] * 1001}
    with hostile_server(answering(answers)) as server:
        ran = in_process("pull", ONE, "--cells", "--to", str(tmp_path), "--url", server.url)
    assert (ran.code, ran.err) == (1, "error: The sweep has over 1000 cells. (too_many_cells)\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_answer_of_another_shape_ends_a_command_with_one_line(command: tuple[str, ...]) -> None:
    answers = {end: example(shape) for end, shape in COMMANDS[command].items()}
    ends: dict[str, tuple[int, int]] = {}
    with hostile_server(answering(answers)) as server:
        for end, shape in COMMANDS[command].items():
            right = answers[end]
            answers[end] = next(iter(wrong(shape)))
            ran = in_process(*command, "--url", server.url)
            ends[end] = ran.code, len(ran.err.splitlines())
            answers[end] = right
    assert ends == dict.fromkeys(ends, (4, 1))


@pytest.mark.parametrize(
    "shape", [shape for answers in COMMANDS.values() for shape in answers.values()], ids=str
)
def test_a_shape_fits_no_value_with_a_wrong_or_missing_member(shape: shapes.Shape) -> None:
    values = list(wrong(shape))
    assert len(values) > 2
    assert shapes.fits(example(shape), shape)
    assert [value for value in values if shapes.fits(value, shape)] == []


def test_an_integer_beyond_64_bits_fits_no_shape() -> None:
    assert shapes.fits(2**63 - 1, int)
    assert not shapes.fits(10**4000, int)
    assert not shapes.fits(True, int)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "written"),
    [(Terminal, b"a\\x1b[31m\n    b\\xff"), (io.TextIOWrapper, b"a\x1b[31m\n\tb\xff")],
)
def test_a_content_is_exact_in_a_pipe_and_escaped_on_a_terminal(
    stream: type[io.TextIOWrapper], written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark_manager.cli.terminal import output

    buffer = io.BytesIO()
    monkeypatch.setattr("sys.stdout", stream(buffer))
    output.write_bytes(b"a\x1b[31m\n\tb\xff")
    assert buffer.getvalue() == written


@pytest.mark.parametrize(
    "name", ["../../x.yaml", "/etc/x.yaml", "..", "", "a\x1b[31m.yaml", "é" * 300 + ".yaml"]
)
def test_a_variant_s_name_cannot_move_an_editor_s_file(name: str, tmp_path: Path) -> None:
    from benchmark_manager.cli.variants.contents import forget, keep

    path = keep("text\n", name)
    assert path.parent.name.startswith("benchmark-manager-")
    assert path.name.isprintable()
    assert path.read_text() == "text\n"
    forget(path)
    assert list(tmp_path.iterdir()) == []


# Pulls which are killed


def kill(number: int) -> None:
    os.kill(number, signal.SIGKILL)


def test_what_a_killed_pull_leaves_is_removed_by_the_next(
    run: ForkedCommands, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held_up() -> Iterator[bytes]:
        packed = archive_of(FILES)
        yield head(Content_Length=len(packed))
        yield packed[:3000]
        begun.set()
        go_on.wait(60)

    arguments = ("pull", digits_of(sums_of(FILES)), "--to", str(tmp_path / "r"), "--url")
    with hostile_server(release_server(archive=held_up())) as server:
        pulling = run.start(*arguments, server.url)
        assert begun.wait(60)
        while not any(tmp_path.glob(".r.*.partial/config/*")):
            time.sleep(0.01)
        kill(pulling.number)
        go_on.set()
        assert pulling.wait().code == -signal.SIGKILL
    assert [path.name.endswith(".partial") for path in tmp_path.iterdir()] == [True]
    with hostile_server(release_server()) as server:
        assert run(*arguments, server.url).code == 0
        assert list(tmp_path.iterdir()) == [tmp_path / "r"]
        # What another pull left is removed also where the folder is right.
        (tmp_path / ".r.00000000.partial").mkdir()
        assert run(*arguments, server.url).code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "r"]


def test_a_running_pull_s_files_are_not_removed_by_another(tmp_path: Path) -> None:
    target = ReleaseFolder(tmp_path / "r", force=False)
    kept = [
        tmp_path / ".r.0123456.partial",
        tmp_path / ".s.01234567.partial",
        tmp_path / ".r.01234567.new",
    ]
    for folder in kept:
        folder.mkdir()
    (tmp_path / ".r.01234567.partial").symlink_to(tmp_path)
    with target.filled("") as folder:
        (folder / "a").write_bytes(b"a")
        ReleaseFolder(tmp_path / "r", force=False).clear_leftovers()
        assert (folder / "a").exists()
    assert (tmp_path / "r/a").read_bytes() == b"a"
    assert all(folder.is_dir() for folder in kept)
    assert (tmp_path / ".r.01234567.partial").is_symlink()


def test_a_folder_that_a_killed_pull_moved_away_is_restored(tmp_path: Path) -> None:
    """If the file system cannot exchange folders, the path has no folder for a moment."""
    old = tmp_path / ".r.01234567.old"
    old.mkdir()
    (old / "a").write_bytes(b"a")
    ReleaseFolder(tmp_path / "r", force=True).clear_leftovers()
    assert (tmp_path / "r/a").read_bytes() == b"a"
    old.mkdir()
    ReleaseFolder(tmp_path / "r", force=True).clear_leftovers()
    assert list(tmp_path.iterdir()) == [tmp_path / "r"]


REPLACE: Final = """
import os, sys
from pathlib import Path
from benchmark_manager.cli.releases.destination import ReleaseFolder

def replace_forever(directory):
    target = ReleaseFolder(directory, force=True)
    number = 0
    while True:
        target.clear_leftovers()
        with target.filled("") as folder:
            for name in "ab":
                (folder / name).write_text(str(number))
        number += 1

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        replace_forever(Path(line.strip()))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


def test_whenever_a_pull_is_killed_the_folder_is_whole(tmp_path: Path) -> None:
    import subprocess
    import sys

    from support.process import ROOT, environment

    folder = tmp_path / "r"
    with ReleaseFolder(folder, force=True).filled("") as filled:
        for name in "ab":
            (filled / name).write_text("0")
    with subprocess.Popen(
        [sys.executable, "-c", REPLACE],
        env=environment(pythonpath=ROOT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forking:
        assert forking.stdin is not None
        assert forking.stdout is not None
        for number in range(25):
            print(folder, file=forking.stdin, flush=True)
            child = int(forking.stdout.readline())
            time.sleep(0.004 + 0.0008 * number)
            kill(child)
            assert forking.stdout.readline() == "ended\n"
            contents = {path.name: path.read_text() for path in folder.iterdir()}
            assert contents.keys() == {"a", "b"}
            assert contents["a"] == contents["b"]
        forking.stdin.close()
    ReleaseFolder(folder, force=True).clear_leftovers()
    assert list(tmp_path.iterdir()) == [folder]


def test_names_that_are_the_same_to_the_file_system_are_refused(tmp_path: Path) -> None:
    """A folder that exists already stands for that of a similar name."""
    from benchmark_manager.cli.releases.download import Download
    from benchmark_manager.cli.terminal.retries import RetryBudget
    from benchmark_manager.client.sha256sums import read_sums

    (tmp_path / "config").mkdir()
    with hostile_server(release_server()) as server, Client(server.url) as client:
        download = Download(
            client,
            digits_of(sums_of(FILES)),
            read_sums(sums_of(FILES)),
            tmp_path,
            retries=RetryBudget(0, say=print),
            on_bytes=lambda *_: None,
            max_size=MB,
        )
        with pytest.raises(CommandError) as raised:
            download.run()
    assert raised.value.code == "path_clash"


def test_the_service_s_own_archive_is_read_whole() -> None:
    """Names of all kinds, long ones too, and names that need a pax header."""
    from benchmark_manager.cli.releases.unpacking import members

    files = {
        "a" * 100: b"",
        "b" * 101: b"x",
        "/".join(["größe" * 20] * 18): b"y" * 511,
        "c\nd": b"z" * 512,
        "e": os.urandom(300_000),
    }
    packed = archive_of(files)

    def read(size: int) -> dict[str, bytes]:
        pieces = iter([packed[start : start + size] for start in range(0, len(packed), size)])
        return {each.path.decode(): b"".join(each.pieces) for each in members(pieces)}

    sizes = 1000, 65_536, len(packed)
    assert [size for size in sizes if read(size) != files] == []
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert len(archive.getmembers()) == len(files)
