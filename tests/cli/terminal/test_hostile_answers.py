"""Lists and resources of a hostile server: bounded memory, one line, no control characters."""

import itertools
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import pytest

from benchmark_manager.cli.terminal.output import write_bytes
from benchmark_manager.cli.variants.contents import forget, keep
from benchmark_manager.client import shapes
from benchmark_manager.client.client import MAX_VALUES
from support.commands import run_here
from support.forked_commands import ForkedCommands, Ran
from support.hostile_releases import EMPTY, endless, whole
from support.hostile_server import Answer, gzipped_zeros, head, hostile_server

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
    assert ran.memory - idle_memory < 350_000_000


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


@pytest.mark.parametrize(
    ("connected", "written"),
    [(os.openpty, b"a\\x1b[31m\r\n    b\\xff"), (os.pipe, b"a\x1b[31m\n\tb\xff")],
    ids=["terminal", "pipe"],
)
def test_a_content_is_exact_in_a_pipe_and_escaped_on_a_terminal(
    connected: Callable[[], tuple[int, int]], written: bytes
) -> None:
    reader, writer = connected()
    with os.fdopen(reader, "rb", buffering=0) as shown, os.fdopen(writer, "w") as output:
        with redirect_stdout(output):
            write_bytes(b"a\x1b[31m\n\tb\xff")
        assert shown.read(100) == written


@pytest.mark.parametrize(
    "name", ["../../x.yaml", "/etc/x.yaml", "..", "", "a\x1b[31m.yaml", "é" * 300 + ".yaml"]
)
def test_a_variant_s_name_cannot_move_an_editor_s_file(name: str, tmp_path: Path) -> None:
    path = keep("text\n", name)
    assert path.parent.name.startswith("benchmark-manager-")
    assert path.name.isprintable()
    assert path.read_text() == "text\n"
    forget(path)
    assert list(tmp_path.iterdir()) == []
