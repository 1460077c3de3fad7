"""The commands that are made for a command line."""

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from benchmark_manager.cli.commands import app
from benchmark_manager.cli.terminal.called import called_commands

ROOT = get_command(app)
assert isinstance(ROOT, TyperGroup)
COMMANDS = ROOT.commands


def names_below(group: object) -> list[str]:
    return sorted(group.commands) if isinstance(group, TyperGroup) else []


@pytest.mark.parametrize("name", COMMANDS)
def test_only_the_command_that_is_called_is_made(name: str) -> None:
    made = called_commands(app, [name, "--help"])
    assert list(made.commands) == [name]
    assert names_below(made.commands[name]) == names_below(COMMANDS[name])


@pytest.mark.parametrize("words", [[], ["--help"], ["serv"], ["--version", "serve"]], ids=" ".join)
def test_all_commands_are_made_where_none_is_called(words: list[str]) -> None:
    assert called_commands(app, words).commands.keys() == COMMANDS.keys()
