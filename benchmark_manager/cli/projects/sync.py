"""benchmark-manager sync: sync one project now, with a progress bar."""

import time
from datetime import datetime
from typing import Annotated, Final

import httpx2 as httpx
import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, printable
from benchmark_manager.cli.terminal.lookup import find_project
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.errors import RefusedError
from benchmark_manager.client.shapes import PROGRESS, SYNC

#: Seconds between requests: most syncs are short, and long ones need fewer requests.
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_PHASES: Final = {
    "checking": "checking the branch",
    "waiting": "waiting for a slot",
    "listing": "listing the folders",
    "fetching": "fetching contents",
    "applying": "applying the changes",
}


def sync_project(
    project: ProjectArgument,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it ends, or return at once.")
    ] = True,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Sync a project with GitHub now, or join the sync that is running.

    The sync continues if this command is ended.
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        path = f"/projects/{find_project(client, project)['id']}/sync"
        answer = client.send("POST", path, params={"wait": "false"})
        begun = client.json(answer, PROGRESS)
        if not wait:
            if as_json:
                output.write_json(answer.text)
            else:
                output.say("The sync is running.")
            return
        sync_id, progress = _wait(client, path, begun)
        answer = sync_record(client, path, sync_id, begun, progress)
        sync = client.json(answer, SYNC)
    if as_json:
        output.write_json(answer.text)
    else:
        _report(sync)
    if sync["status"] == "failed":
        error = sync["error"] or {"detail": sync["message"], "code": "sync_failed"}
        raise CommandError(error["detail"], error["code"])


def _wait(client: Client, path: str, begun: Json) -> tuple[str | None, Json]:
    """Wait until the sync has ended, and return its id and its last progress.

    Many short requests are sent, since proxies cut long ones. The id is None if the sync ended
    before it was known.
    """
    pause, progress, sync_id = _FIRST_PAUSE, begun, begun["sync_id"]
    with output.progress("syncing") as bar:
        # If another replica has just begun the sync, its id is not known yet.
        while progress["status"] == "running" and progress["sync_id"] in {sync_id, None}:
            bar.show(
                progress["files_fetched"],
                progress["files_total"],
                _PHASES.get(progress["phase"] or "", "syncing"),
            )
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            progress = client.json(client.get(path), PROGRESS)
            sync_id = sync_id or progress["sync_id"]
    return sync_id, progress


def sync_record(
    client: Client, path: str, sync_id: str | None, begun: Json, progress: Json
) -> httpx.Response:
    """Return the record of the sync.

    Raises:
        CommandError: `sync_abandoned`, such as when the service was stopped meanwhile.
    """
    if sync_id is not None:
        try:
            return client.get(f"{path}s/{sync_id}")
        except RefusedError as error:
            if error.code != "sync_not_found":
                raise
    # A poll that found no change is merged into an older record, whose end is then this sync's.
    last = progress["last_sync"]
    if last is None or _is_older(last, begun):
        raise CommandError("The sync did not finish; start it again.", "sync_abandoned")
    return client.get(f"{path}s/{last['id']}")


def _is_older(sync: Json, begun: Json) -> bool:
    """Return whether a finished sync ended before `begun` started."""
    started_at = begun["started_at"]
    try:
        return started_at is not None and datetime.fromisoformat(
            sync["finished_at"]
        ) < datetime.fromisoformat(started_at)
    except (ValueError, TypeError):
        # One of them is not a time, or has no time zone.
        return False


def _report(sync: Json) -> None:
    for change in sync["changes"]:
        before = f" (was {change['previous_path']})" if change["previous_path"] else ""
        print(printable(f"{change['change']:8} {change['path']}{before}"))
    for skipped in sync["skipped"]:
        print(printable(f"{'skipped':8} {skipped['path']} ({skipped['reason']})"))
    for warning in sync["warnings"]:
        output.say(f"warning: {warning['detail']} ({warning['code']})")
    if sync["status"] != "failed":
        output.say(sync["message"])
