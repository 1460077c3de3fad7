"""What the address of a list of results says."""

from dataclasses import dataclass, fields
from typing import Final, get_args
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from benchmark_manager.models.result import ResultFilters, ToolName
from benchmark_manager.web.results.labels import read_labels
from benchmark_manager.web.site.reader import Reader

#: Characters of a filter.
_LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The filters of a list as they were typed; `deleted` is "true" for the trash.

    `after` is the id of the newest result that an open table knows: a newer one is announced there.
    """

    release: str = ""
    sweep: str = ""
    tool: str = ""
    label: str = ""
    by: str = ""
    deleted: str = ""
    after: str = ""

    @classmethod
    def of(cls, parameters: QueryParams) -> "ListQuery":
        return cls(**{each.name: _short(parameters, each.name) for each in fields(cls)})

    @property
    def is_trash(self) -> bool:
        return self.deleted == "true"

    @property
    def is_filtered(self) -> bool:
        return any((self.release, self.sweep, self.tool, self.label, self.by))

    @property
    def kept(self) -> dict[str, str]:
        """Return the filters that the form keeps without a field for them."""
        given = {"release": self.release, "sweep": self.sweep}
        return {name: value for name, value in given.items() if value}

    def address(self) -> str:
        """Return the query of the first page."""
        given = ((each.name, getattr(self, each.name)) for each in fields(self))
        return "?" + urlencode([(name, value) for name, value in given if value])

    def filters(self, reader: Reader) -> tuple[ResultFilters, str]:
        """Return the filters, and the sentence that says why a label is none."""
        labels = read_labels(self.label, reader)
        return (
            ResultFilters(
                release=self.release or None,
                sweep_id=self.sweep or None,
                tool=next((name for name in get_args(ToolName) if name == self.tool), None),
                labels=labels.labels,
                created_by=self.by or None,
                deleted=self.is_trash,
            ),
            labels.error,
        )


def _short(parameters: QueryParams, name: str) -> str:
    value = parameters.get(name, "")
    return value.replace("\0", "").strip() if len(value) <= _LONGEST else ""
