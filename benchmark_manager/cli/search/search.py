"""benchmark-manager search: find text, keys or values in a project's files."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import printable
from benchmark_manager.cli.terminal.lookup import find_project
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.shapes import FOUND_FILE

#: Matches that one request asks for.
_AT_ONCE = 1000


def search_files(
    project: ProjectArgument,
    query: Annotated[
        str, typer.Argument(help="The plain text to find; upper and lower case are the same.")
    ],
    where: Annotated[
        Literal["text", "keys", "values"],
        typer.Option("--in", help="Search all text, keys such as spec.parallelism, or values."),
    ] = "text",
    file_type: Annotated[
        Literal["config", "job"] | None, typer.Option("--type", help="Only these.")
    ] = None,
    scope: Annotated[
        Literal["originals", "variants", "all"],
        typer.Option(help="Which files to search; of variants, the newest revision."),
    ] = "originals",
    limit: Annotated[
        int, typer.Option("--limit", help="Stop after so many matches; 0: never.", min=0)
    ] = 0,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Search in a project's files.

    Each match is one line, as grep writes it: PATH:LINE:COLUMN: excerpt. For a variant, its id
    follows PATH in brackets.

    A warning on standard error gives the number of files that took too much time to be searched.

    Exit code 1: nothing was found, as with grep; with `--json` the answer is then `[]`.
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        address = f"/projects/{find_project(client, project)['id']}/search"
        params = {"q": query, "in": where, "file_type": file_type, "scope": scope}
        unsearched = UnsearchedFiles()
        most = min(limit, _AT_ONCE) or _AT_ONCE
        rows = client.pages(address, FOUND_FILE, on_page=unsearched.add, limit=most, **params)
        found = _shown(_limited(rows, limit), as_json)
        unsearched.report()
    if not found:
        raise typer.Exit(1)


class UnsearchedFiles:
    """Counts the files that the service did not search."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, headers: Mapping[str, str]) -> None:
        """Add the number in a page's headers; ignore what is not a number."""
        value = headers.get("X-Search-Incomplete", "")
        self._count += int(value) if re.fullmatch("[0-9]{1,9}", value) else 0

    def report(self) -> None:
        if self._count:
            files = "1 file takes" if self._count == 1 else f"{self._count} files take"
            output.say(f"warning: {files} too much time to be searched, and may have more matches.")


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
    """Write all rows, as they come or as one JSON array; return whether there was any."""
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
            excerpt = match["excerpt"].replace("\t", " ")
            print(printable(f"{name}:{match['line']}:{match['column']}: {excerpt}"))
    return found


def _merged(rows: Iterator[Json]) -> list[Json]:
    """Merge the rows of each file, since a file with many matches is on several pages."""
    merged: list[Json] = []
    for _, same in itertools.groupby(
        rows, key=lambda row: (row["file"]["kind"], row["file"]["id"])
    ):
        first, *others = same
        matches = itertools.chain(first["matches"], *(row["matches"] for row in others))
        merged.append({**first, "matches": list(matches)})
    return merged
