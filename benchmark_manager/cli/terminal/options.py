"""Options and arguments which many commands share, and the completion of project names."""

import os
from typing import Annotated, Final

import typer

from benchmark_manager.cli.client.api_client import DEFAULT_URL, URL_VARIABLE, Api
from benchmark_manager.cli.client.shapes import PROJECT
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.domain.fields import LONGEST_NAME_QUERY
from benchmark_manager.domain.text.folding import fold

#: A person waits for the completion, and would rather have none, seconds.
_COMPLETION_SECONDS: Final = 1.0


def complete_project(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names which begin so; none if the service cannot be reached."""
    url = ctx.params.get("url") or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    try:
        with Api(url, timeout=_COMPLETION_SECONDS) as api:
            rows = api.json(
                api.get("/projects", q=incomplete[:LONGEST_NAME_QUERY] or None), [PROJECT]
            )
    except CommandError:
        return []
    names = [str(row["name"]) for row in rows]
    # A shell shows them as they are.
    return [
        name for name in names if name.isprintable() and fold(name).startswith(fold(incomplete))
    ]


Url = Annotated[
    str,
    typer.Option("--url", help="The service's address.", envvar=URL_VARIABLE, show_default=True),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Write the API's JSON to standard output, and nothing else.")
]
ProjectArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROJECT",
        help="Its id, its name regardless of case and Unicode form, or a part of the name which no other project has.",
        autocompletion=complete_project,
    ),
]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        metavar="PROJECT",
        help="Where VARIANT is looked for, unless it is an id.",
        envvar="BENCHMARK_MANAGER_PROJECT",
        autocompletion=complete_project,
    ),
]
VariantArgument = Annotated[
    str,
    typer.Argument(
        metavar="VARIANT",
        help="Its id; or with --project its path, its name or a part of the path.",
    ),
]
ReleaseArgument = Annotated[
    str,
    typer.Argument(
        metavar="DIGEST", help="With or without `sha256:`; its first 12 digits or more suffice."
    ),
]
ContentFile = Annotated[
    str | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help="Take the content from there; `-`: standard input."
    ),
]
AllowInvalid = Annotated[
    bool, typer.Option("--allow-invalid", help="Save it although it does not parse.")
]
