"""Options and arguments that many commands share, and the completion of project names."""

from typing import Annotated, Final

import typer
from typer.models import OptionInfo

from benchmark_manager.cli.terminal.failures import FAILURES
from benchmark_manager.client.address import URL_VARIABLE
from benchmark_manager.client.client import connect
from benchmark_manager.client.shapes import PROJECT
from benchmark_manager.domain.fields import LONGEST_NAME_QUERY
from benchmark_manager.domain.text.folding import fold

#: Seconds that a person waits for a completion at most.
_COMPLETION_SECONDS: Final = 1.0


def complete_project(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the projects' names that begin so; none if the service cannot be reached."""
    try:
        with connect(ctx.params.get("url"), timeout=_COMPLETION_SECONDS) as client:
            rows = client.json(
                client.get("/projects", q=incomplete[:LONGEST_NAME_QUERY] or None), [PROJECT]
            )
    except FAILURES:
        return []
    names = [str(row["name"]) for row in rows]
    # Only printable names: a shell shows them as they are.
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
        help="Its id, its name regardless of case and Unicode form, or a part of the name that no "
        "other project has.",
        autocompletion=complete_project,
    ),
]
OptionalProjectArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="PROJECT",
        help="Its id, its name or a part of the name; else that of --project.",
        autocompletion=complete_project,
    ),
]


def _project_option(help_text: str) -> OptionInfo:
    option: OptionInfo = typer.Option(
        "--project",
        "-p",
        metavar="PROJECT",
        help=help_text,
        envvar="BENCHMARK_MANAGER_PROJECT",
        autocompletion=complete_project,
    )
    return option


ProjectOption = Annotated[
    str | None, _project_option("The project of VARIANT, unless that is an id.")
]
SweepProjectOption = Annotated[
    str | None, _project_option("The project of SWEEP, unless that is an id.")
]
OwnProjectOption = Annotated[str, _project_option("Its id, its name or a part of the name.")]
OptionalProjectOption = Annotated[
    str | None, _project_option("Its id, its name or a part of the name.")
]
SweepArgument = Annotated[
    str,
    typer.Argument(
        metavar="SWEEP", help="Its id; or with --project its name or a part of the name."
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
        metavar="DIGEST",
        help="With or without `sha256:`; its first 12 digits are enough. Or SWEEP/INDEX: a cell of "
        "a sweep.",
    ),
]
ContentFile = Annotated[
    str | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help="Read the content from FILE; `-`: standard input."
    ),
]
AllowInvalid = Annotated[
    bool, typer.Option("--allow-invalid", help="Save it even if it does not parse.")
]
