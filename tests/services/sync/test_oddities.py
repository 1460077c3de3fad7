"""Odd files made by hand: each is classified as a careful reader would, and none stops others."""

import json
import subprocess
import sys
from pathlib import Path

from github_test_server import Repository
from support.service import Json, Service

#: What the contract decides differently from the collection's index, or what it asks for besides.
CONTRACT = {
    "config/yaml11-booleans.yaml": "warn",  # values which YAML 1.1 and 1.2 readers take differently
    "config/sexagesimal-octal.yaml": "warn",
    "config/submodule": "refuse",  # listed with the reason
    "config/symlink-folder": "refuse",
    "jobs/job-plain.json": "refuse",
    "config/bom.json": "warn",  # the bytes are kept, and the byte order mark is reported
    # Tags for Python are an application's.
    **dict.fromkeys(("config/python-tag.yaml", "config/python-call-tag.yaml"), "accept"),
    # A file beside Jobs need not be one.
    **dict.fromkeys(
        (
            *(
                "jobs/cronjob.yaml",
                "jobs/job-nested-in-experiment.yaml",
                "jobs/job-in-comment.yaml",
            ),
            *(
                "jobs/job-in-block-text.yaml",
                "jobs/job-other-api.yaml",
                "jobs/deployment.yaml",
                "jobs/pod.yaml",
            ),
            *(
                "jobs/service.yaml",
                "jobs/kustomization.yaml",
                "jobs/Chart.yaml",
                "jobs/values.yaml",
            ),
            "jobs/top-list-patch.yaml",
        ),
        "accept",
    ),
}


async def test_each_oddity_is_classified_and_none_stops_the_others(
    service: Service, shared_data: Path
) -> None:
    index = json.loads((shared_data / "oddities" / "index.json").read_text(encoding="utf-8"))
    target = service.folder / "oddities.git"
    generate = shared_data / "oddities" / "generate.py"
    subprocess.run(
        [sys.executable, str(generate), "--git", str(target)], check=True, capture_output=True
    )
    service.github.add("made/oddities", Repository(target))
    service.github.limits.set(None, limit=10_000, remaining=10_000)
    project = await service.project("made/oddities", config_folder="config", job_folder="jobs")
    sync = await service.sync(project["id"])
    files = await service.files(project["id"])
    skipped = {row["path"]: row["reason"] for row in sync["skipped"]}
    wrong = {
        entry["path"]: (_action(entry["path"], files, skipped), _allowed(entry))
        for entry in index["files"]
        if "path_hex" not in entry and _action(entry["path"], files, skipped) not in _allowed(entry)
    }
    assert wrong == {}
    assert await _bytes_are_exact(service, project["id"], files, target)


def _allowed(entry: Json) -> set[str]:
    allowed = {entry["action"], *(entry.get("either") or [])}
    if entry["path"] in CONTRACT:
        allowed.add(CONTRACT[entry["path"]])
    return allowed


def _action(path: str, files: dict[str, Json], skipped: dict[str, str]) -> str:
    if path in skipped:
        return "refuse"
    if path not in files:
        return "ignore"
    if files[path]["validity"] != "valid":
        return "refuse"
    return "warn" if files[path]["problems"] else "accept"


async def _bytes_are_exact(
    service: Service, project_id: str, files: dict[str, Json], target: Path
) -> bool:
    """Whether git gives each content the id that the service gives it."""
    contents = service.folder / "contents"
    contents.mkdir()
    for row in files.values():
        (contents / row["id"]).write_bytes(await service.raw(project_id, row["id"]))
    printed = subprocess.run(
        ["git", "hash-object", "--no-filters", "--stdin-paths"],
        input="".join(f"{contents / row['id']}\n" for row in files.values()),
        text=True,
        capture_output=True,
        check=True,
        cwd=target,
    ).stdout
    return printed.split() == [row["sha"] for row in files.values()] != []
