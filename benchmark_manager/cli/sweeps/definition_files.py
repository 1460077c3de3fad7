"""Definitions of sweeps in files: YAML, and JSON too."""

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.given_texts import read_text
from benchmark_manager.client.client import Json, JsonValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmark_manager.models.problem import Problem


def read_definition_file(source: str) -> JsonValue:
    """Return the value of a YAML file, or of standard input if `source` is `-`.

    The service says what is wrong with its fields.

    Raises:
        CommandError: it does not parse, or JSON has no form for a value in it.
        WrongUsageError: it cannot be read, or is not UTF-8.
    """
    # Imported here, since it takes a quarter of a second that most commands do not need.
    from benchmark_manager.domain.sweeps.yaml_values import read_yaml  # noqa: PLC0415
    from benchmark_manager.errors import InvalidContentError, InvalidInputError  # noqa: PLC0415
    from benchmark_manager.messages.rendering import detail  # noqa: PLC0415

    text = read_text(source)
    name = "standard input" if source == "-" else source
    try:
        return read_yaml(text, PurePath(name).name)
    except InvalidContentError as error:
        problems = cast("Sequence[Problem]", error.problems)
        lines = [output.problem_line(name, problem.model_dump()) for problem in problems]
        reason = f"{name} is not read as YAML, or has values that JSON cannot hold."
        raise CommandError(reason, error.code, *lines) from None
    except InvalidInputError as error:
        raise CommandError(detail(error), error.code) from None


def definition_text(definition: Json) -> str:
    """Return a definition for a file: YAML, or JSON if this version does not know its fields."""
    from benchmark_manager.domain.sweeps.definition import read_definition  # noqa: PLC0415
    from benchmark_manager.domain.sweeps.yaml_form import definition_yaml  # noqa: PLC0415
    from benchmark_manager.errors import InvalidInputError  # noqa: PLC0415

    try:
        return definition_yaml(read_definition(definition))
    except InvalidInputError:
        return json.dumps(definition, indent=2) + "\n"
