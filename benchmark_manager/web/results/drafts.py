"""The forms of a result: read, and shown again with what was typed."""

from dataclasses import dataclass, field
from typing import Final, get_args

from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.result import Result, ToolName
from benchmark_manager.web.results.labels import label_lines, read_labels
from benchmark_manager.web.site.field_rules import refused_field
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import error_words

#: The fields beside which an error can be shown.
_FIELDS: Final = ("file", "labels", "note", "tool", "project_id")


@dataclass(slots=True)
class ResultDraft:
    """What was typed, and the errors by field; "" is the form as a whole.

    `most` is the size of the largest file, in bytes.
    """

    most: int = 0
    labels: str = ""
    note: str = ""
    tool: str = ""
    project_id: str = ""
    revision: int = 0
    read: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, result: Result) -> "ResultDraft":
        return cls(
            labels=label_lines(result.labels),
            note=result.note,
            tool=result.chosen_tool or "",
            revision=result.revision,
        )

    @classmethod
    def typed(cls, form: Form, reader: Reader, most: int = 0) -> "ResultDraft":
        """Read a form, with the errors that need no service to be found."""
        labels = form.text("labels").replace("\r\n", "\n")
        made = cls(
            most=most,
            labels=labels,
            # Browsers send every line end as CRLF.
            note=form.text("note").replace("\r\n", "\n"),
            tool=form.line("tool"),
            project_id=form.line("project_id"),
            revision=form.number("revision") or 0,
        )
        found = read_labels(labels, reader)
        made.read = found.labels
        if found.error:
            made.errors["labels"] = found.error
        return made

    @property
    def chosen_tool(self) -> ToolName | None:
        """Return the tool that was chosen; None: the content of the file decides."""
        return next((name for name in get_args(ToolName) if name == self.tool), None)

    def refuse(self, error: BenchmarkManagerError, reader: Reader) -> None:
        """Put a refusal beside the field that it is about."""
        self.errors[refused_field(error, _FIELDS, "")] = error_words(reader, error)
