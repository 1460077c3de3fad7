"""Count which files of a listing each folder would give a project, by names, sizes and modes."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.sync.classification import candidate, format_of, skip_reason_of_entry
from benchmark_manager.domain.sync.selection import ListedFile, Selection, select
from benchmark_manager.models.preview import Outcome, PreviewFolder, PreviewSelection

#: Folders are counted down to this depth; deeper files count for the folders above them. Without
#: the limit, paths of 2,000 segments would take gigabytes.
_DEEPEST: Final = 10
#: Folders with longer paths, in characters, are not counted either: a page shows each path several
#: times.
_LONGEST_PATH: Final = 200
#: Folders that are listed.
MOST_FOLDERS: Final = 200
_JOB_FOLDERS: Final = frozenset(
    {
        "job",
        "jobs",
        "k8s",
        "kubernetes",
        "manifest",
        "manifests",
        "workload",
        "workloads",
        "deploy",
        "deployment",
    }
    | {"deployments", "cronjob", "cronjobs", "jobset", "jobsets", "batch"}
)
_CONFIG_FOLDERS: Final = frozenset(
    {
        "config",
        "configs",
        "configuration",
        "configurations",
        "conf",
        "settings",
        "params",
        "parameters",
        "values",
    }
)
_JOB_NAME: Final = re.compile(
    r"(?:^|[-_.])(?:cron)?(?:job|jobset|pod|deployment|statefulset|daemonset)s?(?=[-_.\d])",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Counts:
    yaml: int = 0
    json: int = 0
    skipped_yaml: int = 0
    skipped_json: int = 0
    jobs: int = 0


@dataclass(slots=True)
class FolderCounts:
    """The counts of every folder with YAML or JSON files, by path."""

    max_file_size: int
    _counts: dict[str, _Counts] = field(default_factory=dict)

    def add(self, entries: Iterable[ListedFile]) -> None:
        """Count the entries of a listing, each for all folders on its path."""
        for entry in entries:
            file_format = format_of(entry.path)
            if file_format is None or candidate(entry.path, entry.mode, "", "") is None:
                continue
            is_skipped = (
                skip_reason_of_entry(entry.mode, entry.size, self.max_file_size, path=entry.path)
                is not None
            )
            is_job = file_format == "yaml" and not is_skipped and suggests_job(entry.path)
            for folder in _folders_of(entry.path):
                counts = self._counts.setdefault(folder, _Counts())
                if file_format == "yaml":
                    counts.skipped_yaml += is_skipped
                    counts.yaml += not is_skipped
                    counts.jobs += is_job
                else:
                    counts.skipped_json += is_skipped
                    counts.json += not is_skipped

    def folders(self) -> tuple[list[PreviewFolder], bool]:
        """Return the folders by path, and whether there are more than these.

        Where there are too many, those near the root are returned.
        """
        by_depth = sorted(
            self._counts, key=lambda folder: (folder.count("/") + bool(folder), folder)
        )
        shown = sorted(by_depth[:MOST_FOLDERS])
        return [_shown(folder, self._counts[folder]) for folder in shown], len(
            by_depth
        ) > MOST_FOLDERS

    def suggest(self, config_default: str, job_default: str) -> tuple[str, str]:
        """Suggest a config folder and a job folder.

        The defaults where they have files, else folders with usual names, else the folder with most
        files. Where no folder of Jobs is found, both are the same: then the content of each file
        decides its type.
        """
        config = self._first(config_default, _CONFIG_FOLDERS, _own)
        job = self._first(job_default, _JOB_FOLDERS, lambda counts: counts.yaml)
        if config is None:
            top = [f for f in self._counts if f and "/" not in f and not _is_hidden(f) and f != job]
            config = min(top, key=lambda f: (-_own(self._counts[f]), f), default="")
        return config, config if job is None else job

    def _first(
        self, default: str, names: frozenset[str], count: Callable[[_Counts], int]
    ) -> str | None:
        if default in self._counts and count(self._counts[default]):
            return default
        named = [
            f for f in self._counts if f.rpartition("/")[2].lower() in names and not _is_hidden(f)
        ]
        # The nearest to the root, then the one with most files, then by name.
        return min(
            (f for f in named if count(self._counts[f])),
            key=lambda f: (f.count("/"), -count(self._counts[f]), f),
            default=None,
        )


def count_selected(
    entries: Iterable[ListedFile], selection: Selection, max_file_size: int
) -> PreviewSelection:
    """Count the files of a project with these folders and patterns, by the rules of a sync."""
    found = select(entries, selection, max_file_size)
    kinds = Counter(found.originals.values())
    return PreviewSelection(
        config_folder=selection.config_folder,
        job_folder=selection.job_folder,
        config_files=kinds["config"],
        job_files=kinds["job"],
        files_by_content=kinds["by_content"],
        skipped_files=len(found.skipped),
    )


def suggests_job(path: str) -> bool:
    """Return whether the name of a YAML file, or of a folder on its path, is usual for Jobs."""
    *folders, name = path.lower().split("/")
    return not _JOB_FOLDERS.isdisjoint(folders) or _JOB_NAME.search(name) is not None


def _folders_of(path: str) -> Iterator[str]:
    """Yield the folders on a path, the root first, down to the deepest that is counted."""
    yield ""
    end = -1
    for _ in range(_DEEPEST):
        end = path.find("/", end + 1)
        if not 0 <= end <= _LONGEST_PATH:
            return
        yield path[:end]


def _is_hidden(folder: str) -> bool:
    """Return whether the folder is in one such as `.github`, which has no benchmark files."""
    return folder.startswith(".") or "/." in folder


def _own(counts: _Counts) -> int:
    return counts.yaml + counts.json


def _shown(folder: str, counts: _Counts) -> PreviewFolder:
    return PreviewFolder(
        path=folder,
        yaml_files=counts.yaml,
        json_files=counts.json,
        likely_jobs=counts.jobs,
        as_config=Outcome(
            copied=counts.yaml + counts.json, skipped=counts.skipped_yaml + counts.skipped_json
        ),
        # JSON files are not manifests: a sync lists them as skipped for that reason.
        as_job=Outcome(
            copied=counts.yaml, skipped=counts.skipped_yaml + counts.json + counts.skipped_json
        ),
    )
