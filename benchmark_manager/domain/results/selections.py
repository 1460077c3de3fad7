"""What a table may be asked for."""

from typing import Final

from benchmark_manager.domain.results.name_lists import names_in
from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.result_table import RowGroup, TableSelection

#: Columns that one table shows, and characters of a metric's name.
MOST_METRICS: Final = 50
LONGEST_NAME: Final = 500


def check_selection(selection: TableSelection) -> None:
    """Check names of metrics, which need not be measured, and the trade-off.

    Raises:
        InvalidInputError: `unknown_metric`, or `invalid_request` with the field at fault.
    """
    if len(selection.metrics) > MOST_METRICS:
        raise InvalidInputError(
            "invalid_request", "too_many_metrics", field="metrics", limit=MOST_METRICS
        )
    for field, names in (("metrics", selection.metrics), ("pareto", selection.pareto or ())):
        for name in names:
            if not 0 < len(name) <= LONGEST_NAME or holds_control(name):
                raise InvalidInputError("unknown_metric", field=field, name=name[:100])
    if selection.pareto is not None and len(set(selection.pareto)) == 1:
        raise InvalidInputError("invalid_request", "two_metrics", field="pareto")


def selection_of(
    *,
    sweep: str | None,
    retired: bool,
    releases: str,
    runs: str,
    metrics: str,
    baseline: str | None,
    point: str | None,
    group: RowGroup,
    pareto: str,
) -> TableSelection:
    """Return the selection of these parameters, of which lists are separated by commas.

    Raises:
        NotFoundError: there are no runs.
        InvalidInputError: `invalid_request`: a trade-off is of two metrics.
    """
    if run := next(iter(names_in(runs)), None):
        raise NotFoundError("run", run)
    pair = names_in(pareto)
    if pair and len(pair) != 2:  # noqa: PLR2004 -- a trade-off is of two
        raise InvalidInputError("invalid_request", "two_metrics", field="pareto")
    return TableSelection(
        sweep_id=sweep or None,
        retired=retired,
        releases=names_in(releases),
        metrics=names_in(metrics),
        baseline=baseline or None,
        point=point or None,
        group=group,
        pareto=(pair[0], pair[1]) if pair else None,
    )
