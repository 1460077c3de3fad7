"""Repositories to copy: the real ones of the shared data, else a generated one."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.harness.report import say
from github_test_server import Repository
from support.real_repositories import RealRepository, real_repository

_REAL: Final = (
    "ThakiCloud__vllm-eval-public",
    "kubernetes-sigs__inference-perf",
    "EleutherAI__lm-evaluation-harness",
)
_GENERATED_FILES: Final = 1000
_GENERATED_SIZE: Final = 1500
_ENDINGS: Final = {"config": (".yaml", ".yml", ".json"), "job": (".yaml", ".yml")}


@dataclass(frozen=True, slots=True)
class Subject:
    """A repository and the expected files of its two folders.

    `build` writes it to a new bare repository.
    """

    full_name: str
    config_folder: str
    job_folder: str
    contents: Mapping[str, bytes]
    build: Callable[[Path], None]

    @property
    def size(self) -> int:
        return sum(map(len, self.contents.values()))

    @property
    def folders(self) -> set[str]:
        """Return the two folders and all folders below them that have files."""
        tops = {self.config_folder, self.job_folder}
        parents = {str(parent) for path in self.contents for parent in Path(path).parents}
        return {
            folder for folder in parents if any(f"{folder}/".startswith(f"{top}/") for top in tops)
        }

    def changed(self, count: int, round_: int) -> dict[str, bytes]:
        """Return new contents for so many of the files, the same ones for the same round."""
        chance = random.Random(round_)  # noqa: S311 -- a choice, no secret
        paths = chance.sample(sorted(self.contents), count)
        # Blank lines at the end do not change the meaning of YAML and JSON.
        return {path: self.contents[path] + b"\n" * (count + 1) for path in paths}


def subjects(shared_data: Path) -> list[Subject]:
    """Return the three real repositories at their last version."""
    if not (shared_data / "repos").is_dir():
        say(
            f"{shared_data} does not exist; "
            f"a generated repository of {_GENERATED_FILES:,} files is used instead"
        )
        return [_generated()]
    return [_real(real_repository(shared_data, name)) for name in _REAL]


def _real(found: RealRepository) -> Subject:
    config, job = found.manifest["config_folder"], found.manifest["job_folder"]
    versions = len(found.manifest["versions"])
    _, commits = found.builder.load(str(found.folder), versions)
    files: dict[str, tuple[str, bytes]] = commits[-1]["files"]
    return Subject(
        full_name=found.full_name,
        config_folder=config,
        job_folder=job,
        contents={path: data for path, (_, data) in files.items() if _belongs(path, config, job)},
        build=lambda target: found.build(target, versions),
    )


def _belongs(path: str, config: str, job: str) -> bool:
    name = path.lower()
    return any(
        path.startswith(f"{folder}/") and name.endswith(_ENDINGS[kind])
        for kind, folder in (("config", config), ("job", job))
    )


def _generated() -> Subject:
    chance = random.Random(7)  # noqa: S311 -- filler, no secret
    contents = {
        f"{'job' if n % 10 == 0 else 'config'}/{n % 50:02}/{n:04}.yaml": b"".join(
            b"key_%d: %s\n" % (line, chance.randbytes(20).hex().encode())
            for line in range(_GENERATED_SIZE // 50)
        )
        for n in range(_GENERATED_FILES)
    }

    def build(target: Path) -> None:
        with Repository.init(target) as repository:
            repository.commit(dict(contents), message="first")

    return Subject("acme/generated", "config", "job", contents, build)
