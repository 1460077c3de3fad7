"""Compare the guide to the command line with the commands, their options and exit codes."""

import re
import shlex
from functools import cache
from typing import Any

import pytest
import typer.main

from benchmark_manager.cli.commands import app
from benchmark_manager.cli.terminal import failures
from benchmark_manager.client import (
    InvalidCallError,
    RefusedError,
    ReleaseContentError,
    UnreachableError,
)
from support.commands import run_here
from support.process import ROOT

GUIDE = (ROOT / "docs/guides/command-line.md").read_text("utf-8")
#: These run the service; other documents describe them.
SERVER = {"serve", "demo", "rotate-key", "backup", "restore", "version", "webhook test"}

#: They take the address as an argument, and have no answer of the API to write.
SIGNING_IN = {"login", "logout"}


@cache
def commands(group: Any = None, prefix: str = "") -> dict[str, Any]:
    """Every command by its words."""
    found: dict[str, Any] = {}
    root: Any = group or typer.main.get_command(app)
    for name, command in root.commands.items():
        inside = hasattr(command, "commands")
        found |= commands(command, f"{prefix}{name} ") if inside else {f"{prefix}{name}": command}
    return found


def options(command: Any) -> set[str]:
    return {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }


def named(words: list[str]) -> str:
    """The command with which words begin."""
    return next(
        (" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in commands()), ""
    )


def test_every_command_is_named() -> None:
    assert [name for name in commands().keys() - SERVER if name not in GUIDE] == []


@pytest.mark.parametrize("name", commands())
def test_a_usage_line_marks_each_argument_once(name: str) -> None:
    shown = run_here([*name.split(), "--help"], environment={"COLUMNS": "200"})
    [usage] = [line for line in shown.out.splitlines() if "Usage:" in line]
    assert not re.search(r"\[\[|\]\]|…|\.\.\.[\]}]", usage)


def test_every_example_is_of_a_command_and_its_options() -> None:
    examples = re.findall(r"^(?:    )?\$ benchmark-manager (.+)$", GUIDE, re.MULTILINE)
    assert len(examples) > 10
    unknown: dict[str, set[str]] = {}
    for example in examples:
        words = shlex.split(example)
        given = {word for word in words if word.startswith("--")}
        unknown[example] = given - options(commands()[named(words)])
    assert {example: names for example, names in unknown.items() if names} == {}


def test_every_option_in_the_guide_s_tables_exists() -> None:
    rows = [
        (named(shlex.split(first)), rest)
        for first, rest in re.findall(r"^\| `([a-z][^`]+)`[^|]*\| (.+) \|$", GUIDE, re.MULTILINE)
    ]
    assert len(rows) > 10
    assert [
        (command, option)
        for command, rest in rows
        for option in re.findall(r"`(--[a-z-]+)", rest)
        if option not in options(commands()[command])
    ] == []


def test_every_command_of_the_client_has_help_and_json() -> None:
    found = commands()
    assert [name for name, command in found.items() if not command.help] == []
    of_client = {name: options(found[name]) for name in found.keys() - SERVER - SIGNING_IN}
    assert [name for name, given in of_client.items() if "--json" not in given] == []
    assert [name for name, given in of_client.items() if "--url" not in given] == ["validate"]


def test_the_exit_codes_are_those_of_the_errors() -> None:
    rows = {int(code) for code in re.findall(r"^\| ([0-9]) \|", GUIDE, re.MULTILINE)}
    errors: list[failures.Failure] = [
        failures.CommandError("x", "x"),
        failures.WrongUsageError("x"),
        failures.DigestMismatchError("x"),
        InvalidCallError("x"),
        UnreachableError("x"),
        ReleaseContentError("x", "release_too_large"),
        RefusedError(404, {"detail": "x", "code": "x"}, "{}"),
    ]
    assert rows == {0} | {failures.exit_code_of(error) for error in errors}
