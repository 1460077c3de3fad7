"""benchmark-manager variants rebase-all: what a rebase would do with each variant of a project, and doing it."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Final

import typer

from benchmark_manager.cli.client.api_client import DEFAULT_URL, Api, Json, connect
from benchmark_manager.cli.client.shapes import REBASE_ALL, REBASE_PREVIEW
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.lookup import find_file, find_project
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url

#: Variants of one request: a bar moves on, and no request takes long.
_AT_ONCE: Final = 100
_LISTS: Final = ("rebased", "conflicts", "unchanged", "failed")
_JOINED: Final = (*_LISTS, "left")
_BUSY: Final = "service_busy"
_OUTCOMES: Final[Mapping[str, str]] = {
    "rebased": "merges cleanly",
    "conflict": "needs a decision",
    "unchanged": "up to date",
    "failed": "cannot be rebased",
}
_CHANGES_SHOWN: Final = 3


def rebase_all_variants(
    project: ProjectArgument,
    original: Annotated[
        str | None,
        typer.Option("--original", metavar="FILE", help="Only the variants of this original."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would become of each, and stop.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before rebasing.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Bring what changed upstream into every variant that merges cleanly.

    What would become of each is shown first, and on a terminal you are asked. Variants in conflict
    stay as they are; `variants rebase` decides them. A variant that somebody saves meanwhile is
    left alone.

    Exit code 1: some that merge cleanly could not be rebased.
    """
    with output.refusals_as_json(as_json), connect(url) as api:
        project_id = find_project(api, project)["id"]
        original_id = None if original is None else find_file(api, project_id, original)["id"]
        path = f"/projects/{project_id}/modified-files/rebase-all"
        selection: Json = {} if original_id is None else {"original_file_id": original_id}
        if as_json:
            told = _joined(_calls(api, path, {**selection, "dry_run": dry_run}, "rebasing"))
            output.write_json(told)
        else:
            told = _by_hand(api, path, selection, dry_run=dry_run, ask=not yes and _is_terminal())
    missing = len(told["failed"]) + len(told["left"])
    if missing and not dry_run:
        raise CommandError(f"{_variants(missing)} could not be rebased.", "rebase_incomplete")


def _by_hand(api: Api, path: str, selection: Json, *, dry_run: bool, ask: bool) -> Json:
    """Show what would become of each, and rebase those which merge cleanly."""
    previewed = _joined(_calls(api, path, {**selection, "dry_run": True}, "merging"))
    _show(previewed["preview"])
    clean = [row for row in previewed["preview"] if row["outcome"] == "rebased"]
    output.say(
        f"{len(clean)} of {_variants(len(previewed['preview']))} whose originals changed upstream can be rebased."
    )
    if dry_run or not clean or (ask and not typer.confirm("Rebase them?", default=True, err=True)):
        return {**previewed, "failed": [], "left": []}
    chosen = [{name: row[name] for name in ("id", "revision", "theirs_sha")} for row in clean]
    done = _joined(_chosen(api, path, chosen))
    output.say(f"Rebased {_variants(len(done['rebased']))}.")
    paths = {row["id"]: row["path"] for row in clean}
    for failed in done["failed"]:
        output.say(
            f"Not rebased: {paths.get(failed['id'], failed['id'])}: {failed['detail']} ({failed['code']})"
        )
    if done["left"]:
        output.say(
            f"Not rebased, as the service is too busy: {_variants(len(done['left']))}. Repeat the command later."
        )
    for conflict in [row for row in previewed["preview"] if row["outcome"] == "conflict"]:
        output.say(
            f"To decide: {conflict['path']}: benchmark-manager variants rebase {conflict['id']}"
        )
    return done


def _calls(api: Api, path: str, body: Json, doing: str) -> Iterator[Json]:
    """The answers about all variants of a selection."""
    cursor: str | None = None
    dealt_with = 0
    with output.progress(doing) as bar:
        while True:
            told = _told(api, path, {**body, "limit": _AT_ONCE, "cursor": cursor})
            yield told
            dealt_with += sum(len(told[name]) for name in _LISTS)
            bar.show(dealt_with, told["total"])
            # A service which leads in a circle would keep the command for good.
            if told["next_cursor"] is None or told["next_cursor"] == cursor:
                return
            cursor = told["next_cursor"]


def _chosen(api: Api, path: str, chosen: Sequence[Json]) -> Iterator[Json]:
    dealt_with = 0
    with output.progress("rebasing") as bar:
        for told in until_none_is_left(chosen, lambda some: _told(api, path, {"variants": some})):
            yield told
            dealt_with += sum(len(told[name]) for name in _LISTS)
            bar.show(dealt_with, len(chosen))


def until_none_is_left(
    chosen: Sequence[Json], send: Callable[[Sequence[Json]], Json]
) -> Iterator[Json]:
    """Send the variants of a choice, and again what an answer leaves or was too busy for.

    Where a whole call rebases, reports or refuses none, that is given up; what then remains is in
    the last `left`.
    """
    waiting = list(chosen)
    while waiting:
        sent, others = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
        told = send(sent)
        left = set(told["left"])
        busy = {failed["id"] for failed in told["failed"] if failed["code"] == _BUSY}
        again = [row for row in sent if row["id"] in left]
        # What met busy workers comes last, so that it keeps no other from its turn.
        last = [row for row in sent if row["id"] in busy - left]
        waiting = [*again, *others, *last]
        gives_up = len(again) + len(last) == len(sent)
        yield {
            **told,
            "failed": [failed for failed in told["failed"] if failed["id"] not in busy],
            "left": [row["id"] for row in waiting] if gives_up else [],
        }
        if gives_up:
            return


def _told(api: Api, path: str, body: Json) -> Json:
    shape = REBASE_PREVIEW if body.get("dry_run") else REBASE_ALL
    told: Json = api.json(api.send("POST", path, body=body), shape)
    return told


def _joined(answers: Iterator[Json]) -> Json:
    """All answers as one."""
    whole: Json = {**dict.fromkeys(_JOINED, ()), "preview": ()}
    for told in answers:
        for name in whole:
            whole[name] = [*whole[name], *(told.get(name) or ())]
    return whole


def _show(rows: Sequence[Json]) -> None:
    if rows:
        output.table(
            ("PATH", "OUTCOME", "WHAT WOULD CHANGE"),
            [(row["path"], _outcome(row), _outline(row)) for row in rows],
        )


def _outcome(row: Json) -> str:
    return _OUTCOMES.get(row["outcome"], row["outcome"])


def _outline(row: Json) -> str:
    if row["outcome"] == "failed":
        return str(row["code"])
    if row["outcome"] == "conflict":
        shown = [
            "(text)" if path is None else path or "/" for path in row["conflicts"][:_CHANGES_SHOWN]
        ]
        return _listed("both sides changed: ", shown, row["conflicts_count"])
    if row["outcome"] == "unchanged":
        return "nothing"
    if row["changes_count"] is None:
        return "some lines"
    if row["changes_count"] == 0:
        return "no value"
    return _listed(
        "", [_change(change) for change in row["changes"][:_CHANGES_SHOWN]], row["changes_count"]
    )


def _listed(beginning: str, shown: Sequence[str], count: int) -> str:
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return f"{beginning}{'; '.join(shown)}{more}"


def _change(change: Json) -> str:
    path = change["path"] or "/"
    if change["kind"] == "added":
        return f"{path} added: {change['after']}"
    if change["kind"] == "removed":
        return f"{path} removed"
    return f"{path}: {change['before']} becomes {change['after']}"


def _variants(count: int) -> str:
    return f"{count} variant{'' if count == 1 else 's'}"


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
