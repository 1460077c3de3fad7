"""benchmark-manager sweep import: another tool's sweep as a definition."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import typer

from benchmark_manager.cli.sweeps.definition_files import definition_text
from benchmark_manager.cli.sweeps.showing import say_notes
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError
from benchmark_manager.cli.terminal.given_texts import read_text
from benchmark_manager.cli.terminal.lookup import find_file, find_project, find_variant
from benchmark_manager.cli.terminal.options import AsJson, OwnProjectOption, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.sweeps import Sweeps

_ToolFile = Annotated[
    str, typer.Argument(metavar="FILE", help="The tool's file; `-` for standard input.")
]
_Tool = Annotated[
    Literal["vllm", "llm-d", "hydra", "wandb"],
    typer.Option("--format", help="The tool: for vllm, FILE has the serve parameters."),
]
_Files = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ALIAS=FILE",
        help="An original to edit: its path, or a part of the path. May be repeated.",
    ),
]
_Variants = Annotated[
    list[str] | None,
    typer.Option(metavar="ALIAS=VARIANT", help="A variant to edit; may be repeated."),
]
_Targets = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=ALIAS:PATH",
        help="Where the tool's parameter NAME is in the files; may be repeated. Others are "
        "guessed by their last key.",
    ),
]
_BenchParams = Annotated[
    str | None, typer.Option(metavar="FILE", help="Of vllm: the bench parameters.")
]
_LinkVars = Annotated[
    str | None,
    typer.Option(metavar="A=B,...", help="Of vllm: variables that must be equal."),
]
_Name = Annotated[str | None, typer.Option("--name", "-n", help="The sweep's name.")]


def import_sweep(
    source: _ToolFile,
    tool: _Tool,
    project: OwnProjectOption,
    file: _Files = None,
    variant: _Variants = None,
    target: _Targets = None,
    bench_params: _BenchParams = None,
    link_vars: _LinkVars = None,
    name: _Name = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write the definition that another tool's sweep is, as YAML; nothing is stored.

    What could not be taken over is on standard error.

    For example:

        benchmark-manager sweep import --format vllm serve.json --project vllm
        --file engine=llama-3.1-8b.yaml > batch.yaml
    """
    body: Json = {"format": tool, "text": read_text(source), "targets": _targets(target or [])}
    if bench_params is not None:
        body["bench_text"] = read_text(bench_params)
    if link_vars is not None:
        body["link_vars"] = link_vars
    with output.refusals_as_json(as_json), connect(url) as client:
        project_id = find_project(client, project)["id"]
        body["files"] = dict(_files(client, project_id, file or [], variant or []))
        imported = Sweeps(client).import_definition(project_id, body)
    if name is not None:
        imported["definition"]["name"] = name
    say_notes(imported["notes"])
    if not imported["definition"].get("axes"):
        raise CommandError(
            "No parameter has a place in these files; name places with --target.",
            "nothing_imported",
        )
    if as_json:
        output.write_json(imported)
    else:
        output.write(definition_text(imported["definition"]))


def _files(
    client: Client, project_id: str, originals: Sequence[str], variants: Sequence[str]
) -> Iterator[tuple[str, object]]:
    for text in originals:
        alias, reference = _pair(text, "--file", "ALIAS=FILE")
        yield alias, find_file(client, project_id, reference)["path"]
    for text in variants:
        alias, reference = _pair(text, "--variant", "ALIAS=VARIANT")
        yield alias, {"modified_file_id": find_variant(client, project_id, reference)["id"]}


def _targets(given: Sequence[str]) -> dict[str, list[str]]:
    targets: dict[str, list[str]] = {}
    for text in given:
        name, target = _pair(text, "--target", "NAME=ALIAS:PATH")
        targets.setdefault(name, []).append(target)
    return targets


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise WrongUsageError(f"{option} {text}: write {form}.")
    return name, value
