"""Tables of results: what was varied beside what came out."""

import asyncio
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Response

from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.problems import documented
from benchmark_manager.api.http.requests import Reader, ServicesDependency
from benchmark_manager.api.results.table_csv import table_csv
from benchmark_manager.api.results.table_shapes import ResultTableAnswer, table_answer
from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.domain.results.selections import selection_of
from benchmark_manager.models.result_table import ResultTable, RowGroup, TableSelection

router = APIRouter(tags=["results"], route_class=BoundedBody, strict_content_type=False)

#: Characters of a list of a thousand digests, and of other parameters.
_LONGEST_LIST: Final = 100_000
_LONGEST_POINT: Final = 1_000
_CSV: Final[dict[str, Any]] = {
    "content": {"text/csv": {"schema": {"type": "string"}}},
    "description": "With `format=csv`: one line for each row, behind one with names.",
}
#: What a selection may be refused for.
SELECTION_CODES: Final = (
    *("project_not_found", "sweep_not_found", "release_not_found", "run_not_found"),
    *("baseline_not_compared", "digest_ambiguous", "digest_too_short", "invalid_request"),
    *("too_many_results/results", "unknown_metric", "service_busy"),
)

_Sweep = Annotated[
    str | None, Query(max_length=LONGEST_ID, description="Compare the cells of this sweep.")
]
_Retired = Annotated[
    bool,
    Query(description="With `sweep`: also its retired cells, as those from before a rebase."),
]
_Releases = Annotated[
    str,
    Query(
        max_length=_LONGEST_LIST,
        description="Compare these releases: digests, separated by commas. Without these and "
        "`sweep`, all releases of the project that have results.",
    ),
]
_Runs = Annotated[str, Query(max_length=_LONGEST_LIST, description="There are no runs yet: 404.")]
_Metrics = Annotated[
    str,
    Query(
        max_length=_LONGEST_LIST,
        description="Names, separated by commas, those with a comma in double quotes; without "
        "it the most telling ones. A metric that nobody measured is an empty column.",
        examples=["ttft_p99,output_throughput"],
    ),
]
_Baseline = Annotated[
    str | None,
    Query(
        max_length=LONGEST_ID,
        description="Compare each row with this release: a digest, its first digits, or with "
        "`sweep` the index of a cell.",
    ),
]
_Point = Annotated[
    str | None, Query(max_length=_LONGEST_POINT, description="Only the points of this name.")
]
_Group = Annotated[
    RowGroup,
    Query(
        description="`environment`: a release has a row for each combination of the labels "
        "that differ, and is compared with the baseline in its own environment."
    ),
]
_Pareto = Annotated[
    str,
    Query(
        max_length=_LONGEST_POINT,
        description="Two metrics of a trade-off, separated by a comma; without it the first "
        "two columns that have a direction.",
    ),
]


async def table_selection(
    sweep: _Sweep = None,
    retired: _Retired = False,
    releases: _Releases = "",
    runs: _Runs = "",
    metrics: _Metrics = "",
    baseline: _Baseline = None,
    point: _Point = None,
    group: _Group = "release",
    pareto: _Pareto = "",
) -> TableSelection:
    """Return the selection that a query describes."""
    return selection_of(
        sweep=sweep,
        retired=retired,
        releases=releases,
        runs=runs,
        metrics=metrics,
        baseline=baseline,
        point=point,
        group=group,
        pareto=pareto,
    )


SelectionDependency = Annotated[TableSelection, Depends(table_selection)]


@router.get(
    "/projects/{project_id}/results/table",
    summary="Results side by side",
    response_model=ResultTableAnswer,
    responses={200: _CSV, **documented(*SELECTION_CODES)},
)
async def result_table(
    services: ServicesDependency,
    principal: Reader,
    project_id: str,
    selection: SelectionDependency,
    format: Annotated[  # noqa: A002 -- the parameter's name
        Literal["json", "csv"], Query(description="`csv` for spreadsheets.")
    ] = "json",
) -> Response:
    """Compare results: the keys in which their releases differ, beside the metrics.

    Repeats of one release at one point are one row: median, quartiles, and with a baseline the
    change and a verdict. Keys are compared in the bytes of the releases; a key that is the same in
    all is no column. Labels that differ are environment, no settings.

    In CSV, texts that a spreadsheet would run as a formula have an apostrophe before them.
    """
    table = await services.result_tables.table(principal, project_id, selection)
    if format == "csv":
        headers = {"Content-Disposition": 'attachment; filename="results.csv"'}
        data = await asyncio.to_thread(table_csv, table)
        return Response(data, media_type="text/csv; charset=utf-8", headers=headers)
    return Response(await asyncio.to_thread(_json, table), media_type="application/json")


def _json(table: ResultTable) -> bytes:
    return table_answer(table).model_dump_json().encode()
