"""The form of a release: read, checked field by field, and shown again with everything that was typed."""

from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.release import Release, ReleaseContents
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import INCLUDE, error_words

_LONGEST_NAME: Final = 200
_LONGEST_DESCRIPTION: Final = 10_000
_NAME: Final = N_("A name has at most 200 characters, in one line.")
_DESCRIPTION: Final = N_("A description has at most 10,000 characters.")


@dataclass(slots=True)
class ReleaseForm:
    """What was typed, and what is wrong with it by field; an empty field's name stands for the whole form."""

    name: str = ""
    description: str = ""
    pinned: bool = False
    include: ReleaseContents = "all"
    modified_file_ids: frozenset[str] = frozenset()
    revision: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, release: Release) -> "ReleaseForm":
        return cls(release.name, release.description, release.pinned, revision=release.revision)

    @classmethod
    def typed(cls, form: Form, reader: Reader) -> "ReleaseForm":
        """What a form says, with complaints about what the service would refuse."""
        made = cls(
            name=form.line("name"),
            # Forms send CRLF whatever was typed.
            description=form.text("description").replace("\r\n", "\n"),
            pinned=form.ticked("pinned"),
            include=next(
                (contents for contents in INCLUDE if contents == form.text("include")), "all"
            ),
            modified_file_ids=frozenset(form.texts("modified_file_ids")),
            revision=form.number("revision") or 0,
        )
        if len(made.name) > _LONGEST_NAME or holds_control(made.name):
            made.errors["name"] = reader.words(_NAME)
        if len(made.description) > _LONGEST_DESCRIPTION:
            made.errors["description"] = reader.words(_DESCRIPTION)
        return made

    def refuse(self, error: BenchmarkManagerError, reader: Reader) -> None:
        self.errors[""] = error_words(reader, error)
