"""The edits of projects and of their sources: each takes typed facts and returns a new value."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.domain.projects.file_patterns import normalise_patterns
from benchmark_manager.domain.projects.folders import normalise_folder
from benchmark_manager.domain.projects.schedule import first_phase
from benchmark_manager.domain.projects.settings import (
    ProjectChanges,
    ProjectSettings,
)
from benchmark_manager.domain.unset import Unset, given_or
from benchmark_manager.models.project import Project, Ref, RepositoryAddress, Source

#: The settings of a source that are called as in the API.
_SOURCE_FIELDS: Final = ("ref", "config_folder", "job_folder", "include", "exclude")


@dataclass(frozen=True, slots=True)
class EditedProject:
    """A project after an edit.

    `reschedule`: store also when it is due. `forget_upstream`: it reads other files now, so that
    nothing holds that was seen of the former ones.
    """

    project: Project
    reschedule: bool = False
    forget_upstream: bool = False


def at_repository(source: Source, repository: RepositoryAddress) -> Source:
    """Read this repository; the token and the confirmation of another one are dropped."""
    if repository.key == source.repository.key:
        return source
    update = {"repository": repository, "confirmed": False}
    return with_token(source, None, None).model_copy(update=update)


def with_token(source: Source, encrypted: str | None, fingerprint: str | None) -> Source:
    """Use this token, or none."""
    return source.model_copy(
        update={"encrypted_token": encrypted, "token_fingerprint": fingerprint}
    )


def with_settings(
    source: Source, settings: ProjectSettings, ref: Ref | None, folder: str | None
) -> Source:
    """Apply the settings, and what an address names.

    `ref` is what the settings and the address name together, None for the default branch. `folder`
    is what the address names; the settings' own `config_folder` counts more.

    Raises:
        InvalidInputError: a folder or a pattern is refused.
    """
    config_folder = source.config_folder
    if folder is not None:
        config_folder = normalise_folder(folder, field="address")
    if not isinstance(settings.config_folder, Unset):
        config_folder = normalise_folder(settings.config_folder, field="config_folder")
    job_folder = source.job_folder
    if not isinstance(settings.job_folder, Unset):
        job_folder = normalise_folder(settings.job_folder, field="job_folder")
    include, exclude = source.include, source.exclude
    if not isinstance(settings.include, Unset):
        include = normalise_patterns(settings.include, field="include")
    if not isinstance(settings.exclude, Unset):
        exclude = normalise_patterns(settings.exclude, field="exclude")
    return source.model_copy(
        update={
            "ref": ref if ref is not None or settings.has_ref else source.ref,
            "config_folder": config_folder,
            "job_folder": job_folder,
            "include": include,
            "exclude": exclude,
        }
    )


def with_changes(project: Project, changes: ProjectChanges, source: Source) -> Project:
    """Apply a person's changes; `source` is what they make of the project's source."""
    interval = given_or(changes.settings.polling_interval, project.polling_interval)
    paced = interval != project.polling_interval
    changed = (
        paced or not source.reads_same_as(project.source) or _has_other_credential(source, project)
    )
    return project.model_copy(
        update={
            "name": given_or(changes.name, project.name),
            "source": _next_version(source) if changed else source,
            "polling_interval": interval,
        }
    )


def rescheduled(before: Project, after: Project, now: datetime) -> EditedProject:
    """Decide when a changed project is due; `now` is the database's time."""
    moved = not after.source.reads_same_as(before.source)
    token_may_help = _has_other_credential(after.source, before) and before.state.status in {
        "failing",
        "unavailable",
    }
    due = after.next_poll_at
    if after.paused:
        pass  # Only resuming makes a paused project due.
    elif moved or token_may_help:
        due = now
    elif after.polling_interval != before.polling_interval:
        due = _repaced(after, now)
    return EditedProject(
        after.model_copy(update={"next_poll_at": due}),
        reschedule=due != before.next_poll_at,
        forget_upstream=moved,
    )


def paused(project: Project) -> EditedProject:
    """Pause the project: it is not due any more, unless a person has queued a sync of it."""
    changed = _with_paused(project, paused=True)
    if project.due_trigger == "manual":
        return EditedProject(changed)
    undue = changed.model_copy(update={"next_poll_at": None, "due_trigger": "poll"})
    return EditedProject(undue, reschedule=True)


def resumed(project: Project, now: datetime) -> EditedProject:
    """Resume the project: it is due at once."""
    changed = _with_paused(project, paused=False)
    return EditedProject(changed.model_copy(update={"next_poll_at": now}), reschedule=True)


def next_project_revision(project: Project, now: datetime) -> Project:
    """Count an edit of the project as its next revision."""
    return project.model_copy(update={"updated_at": now, "revision": project.revision + 1})


def changed_fields(before: Project, after: Project) -> tuple[str, ...]:
    """Return the names of the settings that differ, as the API calls them; never their values."""
    old, new = before.source, after.source
    differs = {
        "name": before.name != after.name,
        "github_repo_url": (old.repository, old.confirmed) != (new.repository, new.confirmed),
        "github_token": old.encrypted_token != new.encrypted_token,
        "polling_interval": before.polling_interval != after.polling_interval,
        "paused": before.paused != after.paused,
        **{name: getattr(old, name) != getattr(new, name) for name in _SOURCE_FIELDS},
    }
    return tuple(name for name, changed in differs.items() if changed)


def _with_paused(project: Project, *, paused: bool) -> Project:
    # With the next version of the source, a sync under way does not schedule the project by what it
    # began with.
    return project.model_copy(update={"paused": paused, "source": _next_version(project.source)})


def _next_version(source: Source) -> Source:
    return source.model_copy(update={"version": source.version + 1})


def _has_other_credential(source: Source, project: Project) -> bool:
    before = project.source
    return (source.encrypted_token, source.confirmed) != (before.encrypted_token, before.confirmed)


def _repaced(project: Project, now: datetime) -> datetime | None:
    """Return when a project is due whose polling interval changed.

    A first sync, or one that was queued, is not delayed.
    """
    if project.next_poll_at is not None and (
        project.state.head_sha is None or project.due_trigger != "poll"
    ):
        return project.next_poll_at
    if project.polling_interval == 0 or project.source.is_fixed:
        return None
    return now + timedelta(seconds=first_phase(project.id, project.polling_interval))
