"""benchmark-manager sync: one project now, with a bar while it runs."""

import time
from datetime import datetime
from typing import Annotated, Final

import httpx2 as httpx
import typer

from benchmark_manager.cli.client.api_client import DEFAULT_URL, Api, Json, connect
from benchmark_manager.cli.client.shapes import PROGRESS, SYNC
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, RefusedError, printable
from benchmark_manager.cli.terminal.lookup import find_project
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url

#: Pauses between looks, seconds: most syncs are short, and long ones are not to be asked about all
#: the time.
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_PHASES: Final = {
    "checking": "asking where the branch is",
    "waiting": "waiting for a turn",
    "listing": "listing the folders",
    "fetching": "fetching contents",
    "applying": "applying the changes",
}


def sync_project(
    project: ProjectArgument,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for its end; else it runs by itself.")
    ] = True,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Sync a project with GitHub now; a sync under way is joined.

    The service goes on if this command is ended.
    """
    with output.refusals_as_json(as_json), connect(url) as api:
        path = f"/projects/{find_project(api, project)['id']}/sync"
        answer = api.send("POST", path, params={"wait": "false"})
        begun = api.json(answer, PROGRESS)
        if not wait:
            if as_json:
                output.write_json(answer.text)
            else:
                output.say("The sync runs.")
            return
        sync_id, told = _wait(api, path, begun)
        answer = _record(api, path, sync_id, begun, told)
        sync = api.json(answer, SYNC)
    if as_json:
        output.write_json(answer.text)
    else:
        _tell(sync)
    if sync["status"] == "failed":
        error = sync["error"] or {"detail": sync["message"], "code": "sync_failed"}
        raise CommandError(error["detail"], error["code"])


def _wait(api: Api, path: str, begun: Json) -> tuple[str | None, Json]:
    """Look until the sync is no longer under way, and tell its id and what was seen last.

    Asked for in pieces, as proxies cut long requests. The id is None if the sync was over before
    anybody looked.
    """
    pause, told, sync_id = _FIRST_PAUSE, begun, begun["sync_id"]
    with output.progress("syncing") as bar:
        # Another replica which has just begun does not tell its id yet.
        while told["status"] == "running" and told["sync_id"] in {sync_id, None}:
            bar.show(
                told["files_fetched"],
                told["files_total"],
                _PHASES.get(told["phase"] or "", "syncing"),
            )
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            told = api.json(api.get(path), PROGRESS)
            sync_id = sync_id or told["sync_id"]
    return sync_id, told


def _record(api: Api, path: str, sync_id: str | None, begun: Json, told: Json) -> httpx.Response:
    """The Sync.

    Raises:
        CommandError: `sync_abandoned`; the service was stopped meanwhile, say.
    """
    if sync_id is not None:
        try:
            return api.get(f"{path}s/{sync_id}")
        except RefusedError as error:
            if error.code != "sync_not_found":
                raise
    # A poll which was joined may have been folded into an older record, which ends now instead.
    last = told["last_sync"]
    if last is None or _is_older(last, begun):
        raise CommandError("The sync did not come to its end; start it again.", "sync_abandoned")
    return api.get(f"{path}s/{last['id']}")


def _is_older(sync: Json, begun: Json) -> bool:
    """Whether a finished sync is one from before `begun`."""
    started_at = begun["started_at"]
    try:
        return started_at is not None and datetime.fromisoformat(
            sync["finished_at"]
        ) < datetime.fromisoformat(started_at)
    except (ValueError, TypeError):
        # One of them is no time, or has no zone.
        return False


def _tell(sync: Json) -> None:
    for change in sync["changes"]:
        before = f" (was {change['previous_path']})" if change["previous_path"] else ""
        print(printable(f"{change['change']:8} {change['path']}{before}"))
    for skipped in sync["skipped"]:
        print(printable(f"{'skipped':8} {skipped['path']} ({skipped['reason']})"))
    for warning in sync["warnings"]:
        output.say(f"warning: {warning['detail']} ({warning['code']})")
    if sync["status"] != "failed":
        output.say(sync["message"])
