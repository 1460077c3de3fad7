"""The form of a project: read, checked field by field, and shown again with everything that was typed."""

from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.characters import holds_control
from benchmark_manager.errors import BenchmarkManagerError, ConflictError, InvalidInputError
from benchmark_manager.models.project import LONGEST_NAME, POLLING_INTERVALS, Project
from benchmark_manager.services.projects import UNSET, ProjectDefaults, ProjectFields
from benchmark_manager.web.forms import Form
from benchmark_manager.web.languages import N_
from benchmark_manager.web.reader import Reader
from benchmark_manager.web.words import field_words

_NAME: Final = N_("Give a name of 1 to 200 characters, in one line.")
_ADDRESS: Final = N_("Give the repository's address.")
_INTERVAL: Final = N_("Give 0, or 10 to 604800 seconds.")


@dataclass(slots=True)
class ProjectForm:
    """What was typed, and what is wrong with it by field; never the token, which no page repeats."""

    name: str = ""
    github_repo_url: str = ""
    branch: str = ""
    config_folder: str = ""
    job_folder: str = ""
    polling_interval: str = ""
    include: str = ""
    exclude: str = ""
    revision: int | None = None
    token_set: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, defaults: ProjectDefaults) -> "ProjectForm":
        return cls(
            config_folder=defaults.config_folder,
            job_folder=defaults.job_folder,
            polling_interval=str(defaults.polling_interval),
        )

    @classmethod
    def of(cls, project: Project) -> "ProjectForm":
        source = project.source
        return cls(
            name=project.name,
            github_repo_url=source.repository.url,
            branch=source.branch or "",
            config_folder=source.config_folder,
            job_folder=source.job_folder,
            polling_interval=str(project.polling_interval),
            include="\n".join(source.include),
            exclude="\n".join(source.exclude),
            revision=project.revision,
            token_set=source.encrypted_token is not None,
        )

    @classmethod
    def typed(cls, form: Form, reader: Reader) -> "ProjectForm":
        """What a form says, with complaints about what needs no service to be judged."""
        made = cls(
            name=form.line("name"),
            github_repo_url=form.line("github_repo_url"),
            branch=form.line("branch"),
            config_folder=form.line("config_folder"),
            job_folder=form.line("job_folder"),
            polling_interval=form.line("polling_interval"),
            include=form.text("include"),
            exclude=form.text("exclude"),
            revision=form.number("revision"),
        )
        if not 1 <= len(made.name) <= LONGEST_NAME or holds_control(made.name):
            made.errors["name"] = reader.words(_NAME)
        if not made.github_repo_url:
            made.errors["github_repo_url"] = reader.words(_ADDRESS)
        if made.interval(form) is None:
            made.errors["polling_interval"] = reader.words(_INTERVAL)
        return made

    @staticmethod
    def interval(form: Form) -> int | None:
        seconds = form.number("polling_interval")
        low, high = POLLING_INTERVALS
        return seconds if seconds is not None and (seconds == 0 or low <= seconds <= high) else None

    def fields(self, form: Form, before: Project | None = None) -> ProjectFields:
        """What to store; without a new token, the one that is stored stays."""
        token = form.line("github_token")
        # An address with /tree/BRANCH names a branch; an empty field must not take it back.
        same_branch = not self.branch and (before is None or before.source.branch is None)
        return ProjectFields(
            name=self.name,
            github_repo_url=self.github_repo_url,
            github_token=token or (None if form.ticked("remove_token") else UNSET),
            branch=UNSET if same_branch else self.branch or None,
            config_folder=self.config_folder,
            job_folder=self.job_folder,
            polling_interval=self.interval(form) or 0,
            include=_patterns(self.include),
            exclude=_patterns(self.exclude),
        )

    def refuse(self, error: BenchmarkManagerError, reader: Reader) -> None:
        """Put a service's refusal beside the field that it is about; an empty name stands for the whole form."""
        name = error.field if isinstance(error, InvalidInputError) and error.field is not None else ""
        if isinstance(error, ConflictError):
            name = "name"
        self.errors[name] = field_words(reader, name, error.code, error.detail)


def _patterns(text: str) -> list[str]:
    """One pattern a line; empty lines do not count."""
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
