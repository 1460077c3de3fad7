"""benchmark-manager result table | report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import typer

from benchmark_manager.cli.results.options import names_of
from benchmark_manager.cli.results.showing import cell_text, setting, short_names
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import WrongUsageError
from benchmark_manager.cli.terminal.lookup import (
    SHORT_DIGEST,
    digest_digits,
    find_project,
    find_release,
    find_sweep,
)
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.results import Results

#: Columns of settings that a terminal shows.
_SETTINGS_SHOWN: Final = 6
#: Seconds that a table of many results may take.
_TABLE_SECONDS: Final = 300.0

_Sweep = Annotated[
    str | None, typer.Option(metavar="SWEEP", help="Compare the cells of this sweep.")
]
_Releases = Annotated[
    str | None,
    typer.Option(
        metavar="DIGEST,…", help="Compare these releases, or cells of sweeps (SWEEP/INDEX)."
    ),
]
_Metrics = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,…",
        help="The columns; else the most telling ones. Names with a comma stand in double quotes.",
    ),
]
_Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="DIGEST", help="Compare with this release; with --sweep, an index of a cell."
    ),
]
_Point = Annotated[
    str | None,
    typer.Option(metavar="POINT", help="Only this stage or rate of files, such as rate=16."),
]
_Group = Annotated[
    Literal["release", "environment"],
    typer.Option(help="A row for each release, or for each release and environment (labels)."),
]
_Retired = Annotated[
    bool,
    typer.Option(
        "--retired", help="With --sweep: also its retired cells, as those from before a rebase."
    ),
]
_Pareto = Annotated[
    str | None,
    typer.Option(metavar="NAME,NAME", help="The two metrics of a trade-off."),
]


@dataclass(frozen=True, slots=True)
class _Selection:
    """What a table is of, as the options say it."""

    sweep: str | None
    releases: str | None
    metrics: str | None
    baseline: str | None
    point: str | None
    group: str
    pareto: str | None = None
    retired: bool = False

    def found(self, client: Client, project_id: str) -> dict[str, Any]:
        """Return the parameters of the API.

        Raises:
            WrongUsageError: the options contradict each other, or name no release.
        """
        if self.sweep is not None and self.releases is not None:
            raise WrongUsageError("Give either --sweep or --releases.")
        if self.retired and self.sweep is None:
            raise WrongUsageError("--retired needs --sweep.")
        named = names_of(self.releases) or ()
        return {
            "sweep": None if self.sweep is None else self._sweep(client, project_id),
            "retired": "true" if self.retired else None,
            "releases": [f"sha256:{find_release(client, project_id, one)}" for one in named],
            "metrics": names_of(self.metrics),
            "baseline": self._baseline(client, project_id),
            "point": self.point,
            "group": self.group,
            "pareto": names_of(self.pareto),
        }

    def _sweep(self, client: Client, project_id: str) -> str:
        return str(find_sweep(client, project_id, self.sweep or "")["id"])

    def _baseline(self, client: Client, project_id: str) -> str | None:
        is_index = self.sweep is not None and (self.baseline or "").isdecimal()
        if self.baseline is None or (is_index and len(self.baseline) < len("923ab580f8df")):
            return self.baseline
        if "/" in self.baseline:
            return f"sha256:{find_release(client, project_id, self.baseline)}"
        return digest_digits(self.baseline)


def show_table(
    project: ProjectArgument,
    sweep: _Sweep = None,
    releases: _Releases = None,
    metrics: _Metrics = None,
    baseline: _Baseline = None,
    point: _Point = None,
    group: _Group = "release",
    pareto: _Pareto = None,
    retired: _Retired = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Write the whole table as CSV, and nothing else.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Compare results: the settings in which releases differ, beside the metrics.

    A row is a release with all repeats of it: the median, and in brackets the first and the third
    quartile. With a baseline, the change of the median follows, and a verdict by a Mann-Whitney U
    test at 5 %, where both have at least 4 repeats.

    `*` marks rows that no other row beats in both metrics of the trade-off.

    For example:

        benchmark-manager result table vllm --sweep throughput --baseline 0
        --metrics ttft_p99,output_throughput
    """
    if as_csv and as_json:
        raise WrongUsageError("Give either --csv or --json.")
    selection = _Selection(sweep, releases, metrics, baseline, point, group, pareto, retired)
    with output.refusals_as_json(as_json), connect(url, timeout=_TABLE_SECONDS) as client:
        project_id = find_project(client, project)["id"]
        selected = selection.found(client, project_id)
        if as_csv:
            output.write_bytes(Results(client).table_csv(project_id, **selected))
            return
        table = Results(client).table(project_id, **selected)
    if as_json:
        output.write_json(table)
    else:
        _show(table)


def write_report(
    project: ProjectArgument,
    sweep: _Sweep = None,
    releases: _Releases = None,
    metrics: _Metrics = None,
    point: _Point = None,
    retired: _Retired = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write results as llm-d Benchmark Reports (version 0.2), a JSON array.

    The id of each report's configuration (`cfg_id`) is the release's digest.
    """
    selection = _Selection(sweep, releases, metrics, None, point, "release", retired=retired)
    with output.refusals_as_json(as_json), connect(url, timeout=_TABLE_SECONDS) as client:
        project_id = find_project(client, project)["id"]
        selected = selection.found(client, project_id)
        output.write_json(Results(client).report(project_id, **selected))


def _show(table: Json) -> None:
    for notice in table["notices"]:
        output.say(f"note: {notice['detail']} ({notice['code']})")
    rows, columns = table["rows"], _columns(table)
    output.table(
        [heading for heading, _ in columns],
        [[texts[number] for _, texts in columns] for number in range(len(rows))],
    )
    if not rows:
        output.say("There are no results of these.")
    for metric in table["columns"]["metrics"] if rows else ():
        if all(metric["name"] not in row["metrics"] for row in rows):
            output.say(f"No result has the metric {metric['name']}.")
    _say_legend(table)


def _columns(table: Json) -> list[tuple[str, list[str]]]:
    """Return the columns that say something, each with its heading and its texts."""
    rows, names = table["rows"], table["columns"]
    found = [
        *_which(rows),
        ("POINT", [row["point"] for row in rows]),
        *_settings(table),
        *(
            (f"{label} (env)", [_label(row["labels"].get(label)) for row in rows])
            for label in names["environment"]
        ),
        (">N", [str(_repeats(row)) for row in rows]),
        *(
            (
                " ".join(filter(None, (metric["name"], metric["unit"]))),
                [cell_text(row["metrics"].get(metric["name"])) for row in rows],
            )
            for metric in names["metrics"]
        ),
        ("", ["*" if row["pareto"] else "" for row in rows]),
    ]
    return [(heading, texts) for heading, texts in found if any(texts)]


def _which(rows: Sequence[Json]) -> list[tuple[str, list[str]]]:
    """Return the columns that say which release a row is; the baseline is marked."""
    marks = [" =" if row["is_baseline"] else "" for row in rows]
    if rows and all(row["cell_index"] is not None for row in rows):
        cells = [f"{row['cell_index']}{mark}" for row, mark in zip(rows, marks, strict=True)]
        return [("CELL", cells)]
    digests = [
        f"{row['release'][:SHORT_DIGEST]}{mark}" for row, mark in zip(rows, marks, strict=True)
    ]
    names = [row["release_name"] for row in rows]
    # Cells of one sweep have its name.
    return [("RELEASE", digests), *([("NAME", names)] if len(set(names)) > 1 else [])]


def _settings(table: Json) -> list[tuple[str, list[str]]]:
    """Return the columns of axes, or of keys where not all rows are cells of one sweep."""
    rows = table["rows"]
    if rows and all(row["assignments"] for row in rows):
        axes = dict.fromkeys(axis for row in rows for axis in row["assignments"])
        return [(axis, _texts(rows, "assignments", axis)) for axis in list(axes)[:_SETTINGS_SHOWN]]
    columns = table["columns"]["varied"][:_SETTINGS_SHOWN]
    short = short_names([column["key"] for column in columns])
    # A whole file is no key: of its path, only the ending is behind the last point.
    return [
        (name if column["path"] else column["key"], _texts(rows, "varied", column["key"]))
        for name, column in zip(short, columns, strict=True)
    ]


def _texts(rows: Sequence[Json], member: str, name: str) -> list[str]:
    return [setting(row[member][name]) if name in row[member] else "" for row in rows]


def _label(value: object) -> str:
    if isinstance(value, list):
        return ", ".join("(none)" if one is None else str(one) for one in value)
    return "" if value is None else str(value)


def _repeats(row: Json) -> int:
    return max((cell["n"] for cell in row["metrics"].values()), default=0)


def _say_legend(table: Json) -> None:
    varied = table["columns"]["varied"]
    if len(varied) > _SETTINGS_SHOWN:
        more = len(varied) - _SETTINGS_SHOWN
        output.say(f"{more} more settings differ; --csv and --json have all.")
    if any(row["is_baseline"] for row in table["rows"]):
        output.say(
            "= is the baseline. no diff.: no difference shown. too few: fewer than 4 repeats here "
            "or there."
        )
    if any(row["pareto"] for row in table["rows"]):
        both = " and ".join(table["pareto"] or ())
        output.say(f"*: no other row is better in {both}.")
