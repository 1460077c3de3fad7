"""The form of a project: read, checked field by field, and shown again with everything that was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.projects.settings import UNSET, ProjectChanges, ProjectSettings
from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.errors import BenchmarkManagerError, ConflictError, InvalidInputError
from benchmark_manager.models.preview import RepositoryPreview
from benchmark_manager.models.project import LONGEST_NAME, POLLING_INTERVALS, Project, Ref, RefKind
from benchmark_manager.services.projects.sources import ProjectDefaults
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import field_words

_NAME: Final = N_("Give a name of 1 to 200 characters, in one line.")
_ADDRESS: Final = N_("Give the repository's address.")
_REF_NAME: Final = N_("Give the tag's name, or the commit's id.")
_REF_KINDS: Final[Mapping[str, RefKind]] = {"branch": "branch", "tag": "tag", "commit": "commit"}
_INTERVAL: Final = N_("Give 0, or 10 to 604800 seconds.")
#: The fields that an address, or what the repository holds, may fill as long as nobody changed
#: them.
_FILLED: Final = ("ref_kind", "branch", "config_folder", "job_folder")


@dataclass(slots=True)
class ProjectForm:
    """What was typed, and what is wrong with it by field; never the token, which no page repeats."""

    name: str = ""
    github_repo_url: str = ""
    #: The kind of what is read, and its name; empty with `branch`: the default branch.
    ref_kind: RefKind = "branch"
    branch: str = ""
    config_folder: str = ""
    job_folder: str = ""
    polling_interval: str = ""
    include: str = ""
    exclude: str = ""
    revision: int | None = None
    token_set: bool = False
    #: Whether a token was typed, which is not shown again.
    token_given: bool = False
    #: What the service, and not a person, last put into a field; the form holds it hidden as
    #: `drawn_NAME`.
    drawn: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, defaults: ProjectDefaults) -> "ProjectForm":
        made = cls(
            config_folder=defaults.config_folder,
            job_folder=defaults.job_folder,
            polling_interval=str(defaults.polling_interval),
        )
        made.drawn = made._held()
        return made

    @classmethod
    def of(cls, project: Project) -> "ProjectForm":
        source = project.source
        made = cls(
            name=project.name,
            github_repo_url=source.repository.url,
            ref_kind="branch" if source.ref is None else source.ref.kind,
            branch="" if source.ref is None else source.ref.name,
            config_folder=source.config_folder,
            job_folder=source.job_folder,
            polling_interval=str(project.polling_interval),
            include="\n".join(source.include),
            exclude="\n".join(source.exclude),
            revision=project.revision,
            token_set=source.encrypted_token is not None,
        )
        made.drawn = made._held()
        return made

    @classmethod
    def typed(cls, form: Form, reader: Reader) -> "ProjectForm":
        """What a form says, with complaints about what needs no service to be judged."""
        made = cls(
            name=form.line("name"),
            github_repo_url=form.line("github_repo_url"),
            ref_kind=_REF_KINDS.get(form.line("ref_kind"), "branch"),
            branch=form.line("branch"),
            config_folder=form.line("config_folder"),
            job_folder=form.line("job_folder"),
            polling_interval=form.line("polling_interval"),
            include=form.text("include"),
            exclude=form.text("exclude"),
            revision=form.number("revision"),
            token_given=bool(form.line("github_token")),
            drawn={
                name: form.line(f"drawn_{name}") for name in _FILLED if form.ticked(f"drawn_{name}")
            },
        )
        if made.ref_kind != "branch" and not made.branch:
            made.errors["branch"] = reader.words(_REF_NAME)
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

    @property
    def ref(self) -> Ref | None:
        """What is to be read; None: the default branch, or the branch that the address names."""
        return Ref(kind=self.ref_kind, name=self.branch) if self.branch else None

    def _held(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in _FILLED}

    def is_untouched(self, name: str) -> bool:
        """Whether a field holds what it was drawn with."""
        return self.drawn.get(name) == self._held()[name]

    @property
    def is_ref_untouched(self) -> bool:
        return self.is_untouched("ref_kind") and self.is_untouched("branch")

    def choose_folder(self, name: str, folder: str) -> None:
        """Take a folder of the table over, as if a person had typed it."""
        setattr(self, name, folder)
        self.drawn.pop(name, None)

    def offer(self, preview: RepositoryPreview) -> None:
        """Fill what was left as it was drawn with what the repository suggests."""
        suggested, ref = preview.suggested, preview.ref
        self.name = self.name or preview.repository.name
        offered = {"config_folder": suggested.config_folder, "job_folder": suggested.job_folder}
        taken = {name: folder for name, folder in offered.items() if self.is_untouched(name)}
        if self.is_ref_untouched or (ref is not None and not self.branch):
            taken |= (
                {"ref_kind": "branch", "branch": ""}
                if ref is None
                else {"ref_kind": ref.kind, "branch": ref.name}
            )
        for name, text in taken.items():
            setattr(self, name, text)
        self.drawn |= taken

    def changes(self, form: Form, before: Project) -> ProjectChanges:
        """Return what to change in a project; settings as `settings` returns them."""
        return ProjectChanges(self.name, self.github_repo_url, self.settings(form, before))

    def settings(
        self, form: Form, before: Project | None = None, *, default_config_folder: str = ""
    ) -> ProjectSettings:
        """Return the settings to store; without a new token, the one that is stored stays.

        What is stored already, or the default, is not given as long as nobody changed it, so that
        the branch and folder of an address count.
        """
        token = form.line("github_token")
        same_ref = self.is_ref_untouched if before is not None else not self.branch
        same_folder = self.is_untouched("config_folder") and (
            before is not None or self.config_folder == default_config_folder
        )
        is_branch = self.ref_kind == "branch"
        return ProjectSettings(
            github_token=token or (None if form.ticked("remove_token") else UNSET),
            branch=UNSET if same_ref or not is_branch else self.branch or None,
            ref=UNSET if same_ref or is_branch else self.ref,
            config_folder=UNSET if same_folder else self.config_folder,
            job_folder=self.job_folder,
            polling_interval=self.interval(form) or 0,
            include=patterns_of(self.include),
            exclude=patterns_of(self.exclude),
        )

    def refuse(self, error: BenchmarkManagerError, reader: Reader) -> None:
        """Put a service's refusal beside the field that it is about; an empty name stands for the whole form."""
        name = (
            error.field if isinstance(error, InvalidInputError) and error.field is not None else ""
        )
        if isinstance(error, ConflictError):
            name = "name"
        if name in {"ref", "ref.name"}:
            name = "branch"
        self.errors[name] = field_words(reader, name, error.code, error.detail)


def patterns_of(text: str) -> list[str]:
    """One pattern a line; empty lines do not count."""
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
