"""Real repositories' files at several points of history, as bare git repositories."""

import importlib.util
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class RealRepository:
    """One repository of the collection.

    `manifest` lists its folders and what each version holds.
    """

    folder: Path
    manifest: dict[str, Any]
    builder: ModuleType

    @property
    def full_name(self) -> str:
        name: str = self.folder.name.replace("__", "/")
        return name

    def build(self, target: Path, versions: int) -> None:
        """Write the first `versions` commits into a bare repository.

        A second call moves the branch on.
        """
        _, commits = self.builder.load(str(self.folder), versions)
        self.builder.import_commits(str(target), commits, self.manifest.get("branch", "main"))


def real_repository(shared_data: Path, name: str) -> RealRepository:
    folder = shared_data / "repos" / name
    spec = importlib.util.spec_from_file_location("build_repo", shared_data / "build_repo.py")
    assert spec is not None
    assert spec.loader is not None
    builder = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return RealRepository(folder, manifest, builder)


def blob_ids(repository: Path, ref: str, folder: str) -> dict[str, str]:
    """What git itself says: path -> blob id, for every file below a folder."""
    listing = subprocess.run(
        ["git", "-C", str(repository), "ls-tree", "-r", "-z", ref, "--", f"{folder}/"],
        capture_output=True,
        check=True,
    ).stdout
    rows = [row.partition(b"\t") for row in listing.split(b"\0") if row]
    return {path.decode(): facts.split()[2].decode() for facts, _, path in rows}
