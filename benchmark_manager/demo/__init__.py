"""The demo's sample repository: a small vLLM benchmark set in two commits.

`sample_repository/` is the first commit. For the second, `sample_changes/files/` has the new and
changed files, and `sample_changes/changes.json` the paths that were deleted or renamed.
`sample_sweep.yaml` defines a sweep of the first commit's files.
"""

import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

#: The file of both commits that the sweep varies, and the toy engine reads.
ENGINE_FILE: Final = "config/vllm/llama-3.1-8b.yaml"


def first_commit() -> dict[str, bytes]:
    """Return the exact bytes of every file by path, with `/`."""
    return dict(_walk(files(__name__) / "sample_repository"))


def second_commit() -> dict[str, bytes | None]:
    """Return what the second commit changes: new bytes by path, or None for a deleted file.

    As in git, a rename is a deleted path and a new path with the same bytes.
    """
    folder = files(__name__) / "sample_changes"
    changes = json.loads((folder / "changes.json").read_bytes())
    before = first_commit()
    after: dict[str, bytes | None] = dict(_walk(folder / "files"))
    after |= dict.fromkeys(changes["deleted"])
    for old, new in changes["renamed"].items():
        after |= {old: None, new: before[old]}
    return after


def sample_sweep() -> str:
    """Return the definition of a sweep, as YAML."""
    return (files(__name__) / "sample_sweep.yaml").read_text("utf-8")


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        path = prefix + entry.name
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        else:
            yield path, entry.read_bytes()
