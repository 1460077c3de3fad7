"""Registering and changing projects."""

import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmark_manager.domain.projects.file_patterns import normalise_patterns
from benchmark_manager.domain.projects.folders import normalise_folder
from benchmark_manager.domain.projects.refs import ref_of, ref_of_branch
from benchmark_manager.domain.projects.repository_url import (
    ParsedRepositoryUrl,
    check_token,
    parse_repository_url,
)
from benchmark_manager.domain.sync.schedule import first_phase
from benchmark_manager.errors import InvalidInputError, StaleError, TokenUnreadableError
from benchmark_manager.github.sending.credentials import fingerprint_of
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.project import Project, ProjectStats, Ref, Source, Standing
from benchmark_manager.models.sync import DriftMoment, Sync, SyncOutcome, SyncTrigger
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.projects.repository_addresses import Given, Located, locate
from benchmark_manager.services.projects.tokens import TokenVault
from benchmark_manager.stores.database.database import Database, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.syncs import SyncStore

#: How often a change is tried anew when somebody else's came between reading and writing. Each such
#: time one of them got through, so this many people would have to save in the same moment before
#: one is refused.
_TRIES = 100


@dataclass(frozen=True, slots=True)
class ProjectDefaults:
    """What projects get which do not say."""

    config_folder: str
    job_folder: str
    polling_interval: int


class Unset:
    """A field that a request did not give: None means something of its own."""


UNSET = Unset()


@dataclass(frozen=True, slots=True)
class ProjectFields:
    """What a person says of a project; a field that is UNSET stays as it is, or takes its default."""

    name: str | Unset = UNSET
    github_repo_url: str | Unset = UNSET
    github_token: str | Unset | None = UNSET
    branch: str | Unset | None = UNSET
    ref: Ref | Unset | None = UNSET
    config_folder: str | Unset = UNSET
    job_folder: str | Unset = UNSET
    polling_interval: int | Unset = UNSET
    include: Sequence[str] | Unset = UNSET
    exclude: Sequence[str] | Unset = UNSET


class ProjectService:
    """Every verb of a project but its syncs."""

    def __init__(
        self,
        projects: ProjectStore,
        files: OriginalFileStore,
        syncs: SyncStore,
        vault: TokenVault,
        credentials: CredentialService,
        *,
        api_urls: tuple[str, ...],
        defaults: ProjectDefaults,
        clock: Callable[[], datetime],
    ) -> None:
        self._projects = projects
        self._files = files
        self._syncs = syncs
        self._vault = vault
        self._credentials = credentials
        self._api_urls = api_urls
        self.defaults = defaults
        self._clock = clock

    async def create(self, name: str, github_repo_url: str, fields: ProjectFields) -> Project:
        """Register a project; it is due at once.

        Raises:
            InvalidInputError, ConflictError
        """
        # As it is stored, so that this answer and the next reading are the same.
        now = milliseconds(self._clock())
        parsed = parse_repository_url(github_repo_url, self._api_urls)
        found = await self._located(parsed, _given(None, fields), fields.github_token)
        project_id = Database.new_id()
        blank = Source(
            repository=parsed.repository,
            config_folder=self.defaults.config_folder,
            job_folder=self.defaults.job_folder,
        )
        interval = fields.polling_interval
        project = Project(
            id=project_id,
            name=name,
            source=self._changed(project_id, blank, fields, found),
            polling_interval=self.defaults.polling_interval
            if isinstance(interval, Unset)
            else interval,
            created_at=now,
            updated_at=now,
            next_poll_at=await self._projects.now(),
        )
        await self._projects.insert(project)
        return project

    async def get(self, project_id: str) -> Project:
        return await self._projects.get(project_id)

    async def stats(self, project_id: str) -> ProjectStats:
        return await self._files.stats(project_id)

    async def stats_of(self, projects: Sequence[Project]) -> dict[str, ProjectStats]:
        """The counts of several projects, by their ids."""
        return await self._files.stats_of([project.id for project in projects])

    async def page(
        self, request: PageRequest, query: str | None, standing: Standing | None = None
    ) -> Page[Project]:
        """Projects by name; only those with `query` in it, and of this standing, where they are given."""
        return await self._projects.page(request, query, standing)

    async def standings(self) -> dict[Standing, int]:
        """How many projects there are of each standing."""
        return await self._projects.standings()

    async def history(
        self,
        project_id: str,
        request: PageRequest,
        *,
        outcomes: Collection[SyncOutcome] = (),
        triggers: Collection[SyncTrigger] = (),
    ) -> Page[Sync]:
        """The project's syncs, newest first; only of these outcomes and triggers, where any are given.

        Raises:
            NotFoundError, InvalidInputError
        """
        await self._projects.get(project_id)
        return await self._syncs.page(project_id, request, outcomes=outcomes, triggers=triggers)

    async def drifts(self, project_id: str, limit: int) -> list[DriftMoment]:
        """How the project's last syncs which changed something left its modified files, newest first."""
        return await self._syncs.drifts(project_id, limit)

    async def sync(self, project_id: str, sync_id: str) -> Sync:
        """One finished sync, unless it or its project is gone.

        Raises:
            NotFoundError
        """
        await self._projects.get(project_id)
        return await self._syncs.get(project_id, sync_id)

    async def update(
        self, project_id: str, fields: ProjectFields, expected_revisions: Collection[int] | None
    ) -> Project:
        """Change the fields given.

        Raises:
            NotFoundError, InvalidInputError, ConflictError
            StaleError: the project is not at one of `expected_revisions` (None: any will do).
        """
        asked: _Asked = {}
        return await self._change(
            project_id, expected_revisions, lambda project: self._update(project, fields, asked)
        )

    async def set_paused(
        self, project_id: str, paused: bool, expected_revisions: Collection[int] | None
    ) -> Project:
        """Pause the project, or resume it; one which is that already stays as it is.

        A paused project is not due, unless a person has queued a sync of it. A resumed one is due
        at once, polls and pushes missed meanwhile counting as one.

        Raises:
            NotFoundError
            StaleError: the project is not at one of `expected_revisions` (None: any will do).
        """
        return await self._change(
            project_id, expected_revisions, lambda project: self._set_paused(project, paused)
        )

    async def _set_paused(self, project: Project, paused: bool) -> Project:
        if project.paused == paused:
            return project
        source = project.source
        changed = project.model_copy(
            update={
                "paused": paused,
                # A sync under way must not schedule the project by what it began with.
                "source": source.model_copy(update={"version": source.version + 1}),
                "updated_at": self._clock(),
                "revision": project.revision + 1,
            }
        )
        reschedule = True
        if paused and project.due_trigger != "manual":
            changed = changed.model_copy(update={"next_poll_at": None, "due_trigger": "poll"})
        elif not paused:
            changed = changed.model_copy(update={"next_poll_at": await self._projects.now()})
        else:
            reschedule = False
        await self._projects.replace(changed, project, reschedule=reschedule, forget_upstream=False)
        return await self._projects.get(project.id)

    async def _change(
        self,
        project_id: str,
        expected_revisions: Collection[int] | None,
        change: Callable[[Project], Awaitable[Project]],
    ) -> Project:
        """What `change` makes of the project as it is now, anew while others change it in between."""
        for attempt in range(_TRIES):
            project = await self._projects.get(project_id)
            if expected_revisions is not None and project.revision not in expected_revisions:
                raise StaleError(project.revision)
            try:
                return await change(project)
            except StaleError:
                # Read again: an expected revision may have been overtaken, or a sync changed what
                # is no revision.
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _update(self, project: Project, fields: ProjectFields, asked: "_Asked") -> Project:
        now = self._clock()
        source = self._changed(
            project.id, project.source, fields, await self._new_place(project, fields, asked)
        )
        interval = (
            project.polling_interval
            if isinstance(fields.polling_interval, Unset)
            else fields.polling_interval
        )
        moved = not source.same_place(project.source)
        token_changed = source.encrypted_token != project.source.encrypted_token
        paced = interval != project.polling_interval
        changed = project.model_copy(
            update={
                "name": project.name if isinstance(fields.name, Unset) else fields.name,
                "source": source.model_copy(
                    update={"version": source.version + (moved or token_changed or paced)}
                ),
                "polling_interval": interval,
            }
        )
        if changed == project:
            return project
        changed = changed.model_copy(update={"updated_at": now, "revision": project.revision + 1})
        if changed.paused:
            pass  # Whatever was changed, only resuming makes it due.
        elif moved or (token_changed and project.state.status in {"failing", "unavailable"}):
            changed = changed.model_copy(update={"next_poll_at": await self._projects.now()})
        elif paced:
            changed = changed.model_copy(
                update={"next_poll_at": _repaced(changed, await self._projects.now())}
            )
        reschedule = changed.next_poll_at != project.next_poll_at
        await self._projects.replace(changed, project, reschedule=reschedule, forget_upstream=moved)
        return await self._projects.get(project.id)

    async def _new_place(self, project: Project, fields: ProjectFields, asked: "_Asked") -> Located:
        """What the address given, if any, says of a ref and a folder; what was `asked` before is not asked again.

        Raises:
            InvalidInputError
        """
        given = _given(project.source.ref, fields)
        if isinstance(fields.github_repo_url, Unset):
            return Located(given.ref, None)
        parsed = parse_repository_url(fields.github_repo_url, self._api_urls)
        token = fields.github_token
        if isinstance(token, Unset) and parsed.repository.key == project.source.repository.key:
            # An unreadable one is no reason to refuse what may replace it.
            with contextlib.suppress(TokenUnreadableError):
                token = self._vault.own_token(project)
        question = given, token
        if question not in asked:
            asked[question] = await self._located(parsed, given, token)
        return asked[question]

    async def _located(
        self, parsed: ParsedRepositoryUrl, given: Given, token: str | Unset | None
    ) -> Located:
        own = None if isinstance(token, Unset) else token
        if own is not None:
            check_token(own)
        return await locate(
            parsed, given, lambda: self._credentials.client_for(parsed.repository, own, urgent=True)
        )

    def _changed(
        self, project_id: str, source: Source, fields: ProjectFields, found: Located
    ) -> Source:
        """The source with the fields given, and what was `found` in a new address; every one is checked.

        A token serves the one repository that it was given for: another repository drops it, unless
        one is given too.
        """
        changes: dict[str, object] = {}
        if not isinstance(fields.github_repo_url, Unset):
            parsed = parse_repository_url(fields.github_repo_url, self._api_urls)
            if parsed.repository.key != source.repository.key:
                changes |= {
                    "repository": parsed.repository,
                    "encrypted_token": None,
                    "token_fingerprint": None,
                }
        if found.ref is not None:
            changes["ref"] = found.ref
        elif not (isinstance(fields.branch, Unset) and isinstance(fields.ref, Unset)):
            changes["ref"] = None
        if found.folder is not None:
            changes["config_folder"] = normalise_folder(found.folder, field="github_repo_url")
        if not isinstance(fields.config_folder, Unset):
            changes["config_folder"] = normalise_folder(fields.config_folder, field="config_folder")
        if not isinstance(fields.job_folder, Unset):
            changes["job_folder"] = normalise_folder(fields.job_folder, field="job_folder")
        changed = source.model_copy(update=changes | _patterns(fields))
        if not isinstance(fields.github_token, Unset):
            changed = self._with_token(project_id, changed, fields.github_token)
        return changed

    def _with_token(self, project_id: str, source: Source, token: str | None) -> Source:
        """The source with this token for its repository, or without one."""
        if token is None:
            return source.model_copy(update={"encrypted_token": None, "token_fingerprint": None})
        check_token(token)
        return source.model_copy(
            update={
                "encrypted_token": self._vault.encrypt(token, project_id, source.repository),
                "token_fingerprint": fingerprint_of(source.repository.api_url, token),
            }
        )

    async def make_all_due(self) -> list[str]:
        """Queue a sync of every project, as a person's wish; returns their ids."""
        return await self._projects.make_all_due("manual")

    async def delete(self, project_id: str, expected_revisions: Collection[int] | None) -> None:
        """Take the project and all that belongs to it away from every reader.

        Raises:
            NotFoundError, StaleError
        """
        await self._projects.delete(project_id, expected_revisions, self._clock())


#: What an address named, by what was given beside it and the token that GitHub was asked with.
_Asked = dict[tuple[Given, str | Unset | None], Located]


def _given(current: Ref | None, fields: ProjectFields) -> Given:
    has_ref = not (isinstance(fields.branch, Unset) and isinstance(fields.ref, Unset))
    return Given(chosen_ref(current, fields), has_ref, not isinstance(fields.config_folder, Unset))


def _patterns(fields: ProjectFields) -> dict[str, tuple[str, ...]]:
    """The patterns that were given, checked."""
    given = {"include": fields.include, "exclude": fields.exclude}
    return {
        name: normalise_patterns(patterns, field=name)
        for name, patterns in given.items()
        if not isinstance(patterns, Unset)
    }


def chosen_ref(current: Ref | None, fields: ProjectFields) -> Ref | None:
    """The ref that a person gave; None where none was given, or the default branch.

    What is stored stays as it is: a branch may really be called `heads/x`.

    Raises:
        InvalidInputError: `invalid_branch`, `invalid_ref`, or `contradictory_ref` for two different
            ones.
    """
    branch = None if isinstance(fields.branch, Unset) else fields.branch
    declared = None if isinstance(fields.ref, Unset) else fields.ref
    by_ref = None
    if declared is not None:
        by_ref = current if declared == current else ref_of(declared.kind, declared.name)
    if branch is None:
        if by_ref is not None and by_ref.kind == "branch" and not isinstance(fields.branch, Unset):
            raise _contradiction()
        return by_ref
    stored = {
        ref.name: ref for ref in (current, by_ref) if ref is not None and ref.kind == "branch"
    }
    by_branch = stored.get(branch) or ref_of_branch(branch)
    if by_ref is not None and by_ref != by_branch:
        raise _contradiction()
    return by_branch


def _contradiction() -> InvalidInputError:
    return InvalidInputError(
        "contradictory_ref", "branch and ref say different things; give one of them.", field="ref"
    )


def _repaced(project: Project, now: datetime) -> datetime | None:
    """When a project is due whose polling interval changed; a first reading, or what was queued, is never put off."""
    if project.next_poll_at is not None and (
        project.state.head_sha is None or project.due_trigger != "poll"
    ):
        return project.next_poll_at
    if project.polling_interval == 0 or project.source.is_fixed:
        return None
    return now + timedelta(seconds=first_phase(project.id, project.polling_interval))
