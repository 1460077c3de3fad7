"""Previews: what a repository holds, before there is a project of it."""

from benchmark_manager.models.project import Ref, RepositoryAddress
from benchmark_manager.models.record import Record


class Outcome(Record):
    """How many files of a folder would be copied, by names, sizes and modes, or be skipped."""

    copied: int = 0
    skipped: int = 0


class PreviewFolder(Record):
    """A folder with all that lies below it; "" is the root.

    `likely_jobs` are YAML files that are Jobs by the name of the file or of a folder. `as_config`
    and `as_job` are what it would give as the config or the job folder.
    """

    path: str
    yaml_files: int
    json_files: int
    likely_jobs: int
    as_config: Outcome
    as_job: Outcome


class PreviewSelection(Record):
    """What a project with these two folders would hold.

    `files_by_content`: where both are the same folder, only the content of a YAML file decides
    whether it is a Job.
    """

    config_folder: str
    job_folder: str
    config_files: int = 0
    job_files: int = 0
    files_by_content: int = 0
    skipped_files: int = 0


class RepositoryPreview(Record):
    """A repository's branches, and the folders at one ref of it (None: the default branch).

    `branches` and `folders` are the first of them. Where GitHub truncated the listing, `complete`
    is false, and all numbers are lower bounds. `suggested` are the folders that a project might
    read, `selected` those that were asked for.
    """

    repository: RepositoryAddress
    ref: Ref | None
    default_branch: str | None
    commit_sha: str | None
    branches: tuple[str, ...]
    more_branches: bool
    complete: bool
    folders: tuple[PreviewFolder, ...]
    more_folders: bool
    suggested: PreviewSelection
    selected: PreviewSelection
