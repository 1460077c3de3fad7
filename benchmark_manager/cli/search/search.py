"""benchmark-manager search: text, keys or values inside a project's files."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import typer

from benchmark_manager.cli.client.api_client import DEFAULT_URL, Json, connect
from benchmark_manager.cli.client.shapes import FOUND_FILE
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import printable
from benchmark_manager.cli.terminal.lookup import find_project
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url

#: Matches which one request asks for.
_AT_ONCE = 1000


def search_files(
    project: ProjectArgument,
    query: Annotated[
        str, typer.Argument(help="What to find, as plain text; upper and lower case are the same.")
    ],
    where: Annotated[
        Literal["text", "keys", "values"],
        typer.Option("--in", help="Anywhere, in keys such as spec.parallelism, or in values."),
    ] = "text",
    file_type: Annotated[
        Literal["config", "job"] | None, typer.Option("--type", help="Only these.")
    ] = None,
    scope: Annotated[
        Literal["originals", "variants", "all"],
        typer.Option(help="Which files, variants as they are now."),
    ] = "originals",
    limit: Annotated[
        int, typer.Option("--limit", help="Stop behind so many matches; 0: never.", min=0)
    ] = 0,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Search inside a project's files.

    A line for each match, as grep and compilers write theirs: PATH:LINE:COLUMN: excerpt. Of a
    variant, PATH is followed by its id in brackets.

    How many files take too much time to be searched is said on standard error.

    Exit code 1: nothing was found, as with grep; with `--json` the answer is `[]` then.
    """
    with output.refusals_as_json(as_json), connect(url) as api:
        address = f"/projects/{find_project(api, project)['id']}/search"
        params = {"q": query, "in": where, "file_type": file_type, "scope": scope}
        missed = Missed()
        most = min(limit, _AT_ONCE) or _AT_ONCE
        rows = api.pages(address, FOUND_FILE, on_page=missed.add, limit=most, **params)
        found = _shown(_limited(rows, limit), as_json)
        missed.say()
    if not found:
        raise typer.Exit(1)


class Missed:
    """Counts the files that the service did not search."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, headers: Mapping[str, str]) -> None:
        """Take what a page's headers say of it; what is no number says nothing."""
        value = headers.get("X-Search-Incomplete", "")
        self._count += int(value) if re.fullmatch("[0-9]{1,9}", value) else 0

    def say(self) -> None:
        if self._count:
            files = "1 file takes" if self._count == 1 else f"{self._count} files take"
            output.say(f"warning: {files} too much time to be searched, and may hold more.")


def _limited(rows: Iterator[Json], limit: int) -> Iterator[Json]:
    left = limit
    for row in rows:
        if limit == 0:
            yield row
            continue
        matches = row["matches"][:left]
        yield {**row, "matches": matches}
        left -= len(matches)
        if left == 0:
            return


def _shown(rows: Iterator[Json], as_json: bool) -> bool:
    """Write all rows, each as it comes unless they are JSON; return whether there was any."""
    if as_json:
        merged = _merged(rows)
        output.write_json(merged)
        return bool(merged)
    found = False
    for row in rows:
        file = row["file"]
        name = file["path"] if file["kind"] == "original" else f"{file['path']} [{file['id']}]"
        for match in row["matches"]:
            found = True
            print(
                printable(
                    f"{name}:{match['line']}:{match['column']}: {match['excerpt'].replace(chr(9), ' ')}"
                )
            )
    return found


def _merged(rows: Iterator[Json]) -> list[Json]:
    """Each file once: one with many matches goes on in the next page."""
    merged: list[Json] = []
    for _, same in itertools.groupby(
        rows, key=lambda row: (row["file"]["kind"], row["file"]["id"])
    ):
        first, *others = same
        matches = itertools.chain(first["matches"], *(row["matches"] for row in others))
        merged.append({**first, "matches": list(matches)})
    return merged
