"""What a person says of a project: settings that may be given or not."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark_manager.domain.projects.refs import ref_of, ref_of_branch
from benchmark_manager.domain.unset import UNSET, Unset, given_or
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import Ref


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The settings of a project beside its name and address.

    What is UNSET stays as it is, or takes its default in a new project.
    """

    github_token: str | Unset | None = UNSET
    branch: str | Unset | None = UNSET
    ref: Ref | Unset | None = UNSET
    config_folder: str | Unset = UNSET
    job_folder: str | Unset = UNSET
    polling_interval: int | Unset = UNSET
    include: Sequence[str] | Unset = UNSET
    exclude: Sequence[str] | Unset = UNSET

    @property
    def has_ref(self) -> bool:
        """Whether a ref was given, by either field; None means the default branch."""
        return not (isinstance(self.branch, Unset) and isinstance(self.ref, Unset))


@dataclass(frozen=True, slots=True)
class ProjectChanges:
    """What is to change in a project; what is UNSET stays."""

    name: str | Unset = UNSET
    github_repo_url: str | Unset = UNSET
    settings: ProjectSettings = ProjectSettings()


def chosen_ref(
    current: Ref | None, branch: str | Unset | None, ref: Ref | Unset | None
) -> Ref | None:
    """Return the ref that `branch` and `ref` name together; None where none is given.

    None is also the default branch. The `current` ref is accepted as it is stored, since a branch
    may really be called `heads/x`.

    Raises:
        InvalidInputError: `invalid_branch`, `invalid_ref`, or `contradictory_ref` where the two
            name different refs.
    """
    declared = given_or(ref, None)
    by_ref = None
    if declared is not None:
        by_ref = current if declared == current else ref_of(declared.kind, declared.name)
    name = given_or(branch, None)
    if name is None:
        if by_ref is not None and by_ref.kind == "branch" and not isinstance(branch, Unset):
            raise _contradiction()
        return by_ref
    stored = {
        known.name: known
        for known in (current, by_ref)
        if known is not None and known.kind == "branch"
    }
    by_branch = stored.get(name) or ref_of_branch(name)
    if by_ref is not None and by_ref != by_branch:
        raise _contradiction()
    return by_branch


def _contradiction() -> InvalidInputError:
    return InvalidInputError("contradictory_ref", "two_refs", field="ref")
