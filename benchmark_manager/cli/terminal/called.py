"""The commands that a command line needs.

Typer inspects the functions of all commands of a program at each start, which takes longer than
many commands run.
"""

import copy
from collections.abc import Sequence

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_command_name, get_group
from typer.models import CommandInfo


def called_commands(app: typer.Typer, words: Sequence[str]) -> TyperGroup:
    """Return the root of the commands with only the command or group that `words` begin with.

    It has all commands where they begin with no such name: help, completion and the messages about
    wrong names list them.
    """
    first = words[0] if words else ""
    only = copy.copy(app)
    only.registered_commands = [
        command for command in app.registered_commands if _name(command) == first
    ]
    only.registered_groups = [group for group in app.registered_groups if group.name == first]
    if only.registered_commands or only.registered_groups:
        return get_group(only)
    everything = get_command(app)
    assert isinstance(everything, TyperGroup)  # noqa: S101 -- it has several commands
    return everything


def _name(command: CommandInfo) -> str:
    if command.name or command.callback is None:
        return command.name or ""
    return get_command_name(command.callback.__name__)
