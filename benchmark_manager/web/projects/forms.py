"""The form of a project: read, checked field by field, and shown again with what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.fields import POLLING_INTERVALS, is_polling_interval
from benchmark_manager.domain.projects.settings import ProjectChanges, ProjectSettings
from benchmark_manager.domain.unset import UNSET
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.preview import RepositoryPreview
from benchmark_manager.models.project import Project, Ref, RefKind
from benchmark_manager.services.projects.sources import ProjectDefaults
from benchmark_manager.web.site.field_rules import PROJECT_NAME, broken_rules, refused_field
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.site.words import error_words

_ADDRESS: Final = N_("Enter the address of the repository.")
_REF_NAME: Final = N_("Enter the name of the tag or the id of the commit.")
_REF_KINDS: Final[Mapping[str, RefKind]] = {"branch": "branch", "tag": "tag", "commit": "commit"}
_INTERVAL: Final = N_("Enter 0, or a number of seconds from %(low)s to %(high)s.")
#: The fields beside which an error can be shown; `ref` is shown in the field `branch`.
_FIELDS: Final = (
    *("name", "github_repo_url", "github_token", "branch", "ref", "ref.name"),
    *("config_folder", "job_folder", "polling_interval", "include", "exclude"),
)
#: Fields that the service may fill from the address or the repository, while they are unchanged.
_FILLED: Final = ("ref_kind", "branch", "config_folder", "job_folder")


@dataclass(slots=True)
class ProjectForm:
    """What was typed, and the errors by field ("" is the whole form); never the token."""

    name: str = ""
    github_repo_url: str = ""
    #: The kind and name of the ref; kind `branch` without a name is the default branch.
    ref_kind: RefKind = "branch"
    branch: str = ""
    config_folder: str = ""
    job_folder: str = ""
    polling_interval: str = ""
    include: str = ""
    exclude: str = ""
    revision: int | None = None
    token_set: bool = False
    #: Whether a token was typed; the token itself is not shown again.
    token_given: bool = False
    #: What the service last put into each of `_FILLED`; hidden fields `drawn_NAME` of the form.
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
        """Read a form, with the errors that need no service to be found."""
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
        made.errors = made._broken_rules(form, reader)
        return made

    def _broken_rules(self, form: Form, reader: Reader) -> dict[str, str]:
        errors = broken_rules(reader, {"name": (PROJECT_NAME, self.name)})
        if self.ref_kind != "branch" and not self.branch:
            errors["branch"] = reader.words(_REF_NAME)
        if not self.github_repo_url:
            errors["github_repo_url"] = reader.words(_ADDRESS)
        if self.interval(form) is None:
            low, high = POLLING_INTERVALS
            errors["polling_interval"] = reader.words(_INTERVAL) % {"low": low, "high": high}
        return errors

    @staticmethod
    def interval(form: Form) -> int | None:
        seconds = form.number("polling_interval")
        return seconds if seconds is not None and is_polling_interval(seconds) else None

    @property
    def ref(self) -> Ref | None:
        """Return the ref to read; None is the default branch, or the branch of the address."""
        return Ref(kind=self.ref_kind, name=self.branch) if self.branch else None

    def _held(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in _FILLED}

    def is_untouched(self, name: str) -> bool:
        """Return whether a field still holds what the service put into it."""
        return self.drawn.get(name) == self._held()[name]

    @property
    def is_ref_untouched(self) -> bool:
        return self.is_untouched("ref_kind") and self.is_untouched("branch")

    def choose_folder(self, name: str, folder: str) -> None:
        """Put a folder of the table into a field, as if the person had typed it."""
        setattr(self, name, folder)
        self.drawn.pop(name, None)

    def offer(self, preview: RepositoryPreview) -> None:
        """Fill the untouched fields with what the repository suggests."""
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

        Leave out fields that still hold the stored value or the default, so that the branch and
        folder of an address apply.
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
        """Put a service's refusal beside the field that it is about."""
        name = refused_field(error, _FIELDS, "name")
        if name in {"ref", "ref.name"}:
            name = "branch"
        self.errors[name] = error_words(reader, error)


def patterns_of(text: str) -> list[str]:
    """Split a text into patterns, one per line; empty lines are ignored."""
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
