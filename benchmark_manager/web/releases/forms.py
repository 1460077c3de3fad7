"""The form of a release: read, checked field by field, and shown again with what was typed."""

from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.release import Release, ReleaseContents
from benchmark_manager.web.site.field_rules import (
    DESCRIPTION,
    RELEASE_NAME,
    broken_rules,
    refused_field,
)
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import INCLUDE, error_words

#: The fields beside which an error can be shown.
_FIELDS: Final = ("name", "description", "include", "modified_file_ids", "substitute")


@dataclass(slots=True)
class ReleaseForm:
    """What was typed, and the errors by field; "" is the form as a whole."""

    name: str = ""
    description: str = ""
    pinned: bool = False
    include: ReleaseContents = "all"
    variant_ids: frozenset[str] = frozenset()
    #: The variants that replace their originals.
    substitute_ids: frozenset[str] = frozenset()
    revision: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, release: Release) -> "ReleaseForm":
        return cls(release.name, release.description, release.pinned, revision=release.revision)

    @classmethod
    def typed(cls, form: Form, reader: Reader) -> "ReleaseForm":
        """Read a form, with the errors that need no service to be found."""
        made = cls(
            name=form.line("name"),
            # Browsers send every line end as CRLF.
            description=form.text("description").replace("\r\n", "\n"),
            pinned=form.ticked("pinned"),
            include=next(
                (contents for contents in INCLUDE if contents == form.text("include")), "all"
            ),
            variant_ids=frozenset(form.texts("modified_file_ids")),
            substitute_ids=frozenset(form.texts("substitute")),
            revision=form.number("revision") or 0,
        )
        made.errors = broken_rules(
            reader,
            {
                "name": (RELEASE_NAME, made.name),
                "description": (DESCRIPTION, made.description),
            },
        )
        return made

    def refuse(self, error: BenchmarkManagerError, reader: Reader) -> None:
        name = refused_field(error, _FIELDS, "name")
        if error.code == "modified_file_not_found":
            name = "modified_file_ids"
        self.errors[name] = error_words(reader, error)
