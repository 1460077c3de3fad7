"""benchmark-manager variants rebase-all: preview and rebase all variants of a project."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Final

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.lookup import find_file, find_project
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url
from benchmark_manager.cli.terminal.streams import is_interactive
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.shapes import REBASE_ALL, REBASE_PREVIEW

#: Variants of one request: few enough that the bar moves and no request takes long.
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
        bool, typer.Option("--dry-run", help="Show the result for each variant, and stop.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before rebasing.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Apply what changed upstream to every variant that merges cleanly.

    The result for each variant is shown first; on a terminal, the command asks before it rebases.
    Variants with conflicts stay as they are; decide these with `variants rebase`. A variant that
    someone else saves in the meantime is not rebased.

    Exit code 1: some variants that merge cleanly could not be rebased.
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        project_id = find_project(client, project)["id"]
        original_id = None if original is None else find_file(client, project_id, original)["id"]
        path = f"/projects/{project_id}/modified-files/rebase-all"
        selection: Json = {} if original_id is None else {"original_file_id": original_id}
        if as_json:
            result = _joined(_calls(client, path, {**selection, "dry_run": dry_run}, "rebasing"))
            output.write_json(result)
        else:
            ask = not yes and is_interactive()
            result = _interactively(client, path, selection, dry_run=dry_run, ask=ask)
    missing = len(result["failed"]) + len(result["left"])
    if missing and not dry_run:
        raise CommandError(f"{_variants(missing)} could not be rebased.", "rebase_incomplete")


def _interactively(client: Client, path: str, selection: Json, *, dry_run: bool, ask: bool) -> Json:
    """Show the result for each variant, and rebase those that merge cleanly."""
    previewed = _joined(_calls(client, path, {**selection, "dry_run": True}, "merging"))
    _show(previewed["preview"])
    clean = [row for row in previewed["preview"] if row["outcome"] == "rebased"]
    changed = _variants(len(previewed["preview"]))
    output.say(f"{len(clean)} of {changed} whose originals changed upstream can be rebased.")
    if dry_run or not clean or (ask and not typer.confirm("Rebase them?", default=True, err=True)):
        return {**previewed, "failed": [], "left": []}
    chosen = [{name: row[name] for name in ("id", "revision", "theirs_sha")} for row in clean]
    done = _joined(_chosen(client, path, chosen))
    _report(done, previewed["preview"])
    return done


def _report(done: Json, previewed: Sequence[Json]) -> None:
    output.say(f"Rebased {_variants(len(done['rebased']))}.")
    paths = {row["id"]: row["path"] for row in previewed}
    for failed in done["failed"]:
        name = paths.get(failed["id"], failed["id"])
        output.say(f"Not rebased: {name}: {failed['detail']} ({failed['code']})")
    if done["left"]:
        left = _variants(len(done["left"]))
        output.say(f"Not rebased, as the service is too busy: {left}. Repeat the command later.")
    for row in previewed:
        if row["outcome"] == "conflict":
            output.say(f"To decide: {row['path']}: benchmark-manager variants rebase {row['id']}")


def _calls(client: Client, path: str, body: Json, doing: str) -> Iterator[Json]:
    """Yield the answers about all variants of a selection."""
    cursor: str | None = None
    done = 0
    with output.progress(doing) as bar:
        while True:
            answer = _answer(client, path, {**body, "limit": _AT_ONCE, "cursor": cursor})
            yield answer
            done += sum(len(answer[name]) for name in _LISTS)
            bar.show(done, answer["total"])
            # A service that repeats a cursor would keep the command running forever.
            if answer["next_cursor"] is None or answer["next_cursor"] == cursor:
                return
            cursor = answer["next_cursor"]


def _chosen(client: Client, path: str, chosen: Sequence[Json]) -> Iterator[Json]:
    def send(some: Sequence[Json]) -> Json:
        return _answer(client, path, {"variants": some})

    done = 0
    with output.progress("rebasing") as bar:
        for answer in until_none_is_left(chosen, send):
            yield answer
            done += sum(len(answer[name]) for name in _LISTS)
            bar.show(done, len(chosen))


def until_none_is_left(
    chosen: Sequence[Json], send: Callable[[Sequence[Json]], Json]
) -> Iterator[Json]:
    """Send the chosen variants, and send again those that an answer left or was too busy for.

    If an answer makes no progress at all, give up; the last answer's `left` then names the rest.
    """
    waiting = list(chosen)
    while waiting:
        sent, others = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
        answer = send(sent)
        left = set(answer["left"])
        busy = {failed["id"] for failed in answer["failed"] if failed["code"] == _BUSY}
        again = [row for row in sent if row["id"] in left]
        # Variants that failed because workers were busy come last, so that others come before them.
        last = [row for row in sent if row["id"] in busy - left]
        waiting = [*again, *others, *last]
        gives_up = len(again) + len(last) == len(sent)
        yield {
            **answer,
            "failed": [failed for failed in answer["failed"] if failed["id"] not in busy],
            "left": [row["id"] for row in waiting] if gives_up else [],
        }
        if gives_up:
            return


def _answer(client: Client, path: str, body: Json) -> Json:
    shape = REBASE_PREVIEW if body.get("dry_run") else REBASE_ALL
    answer: Json = client.json(client.send("POST", path, body=body), shape)
    return answer


def _joined(answers: Iterator[Json]) -> Json:
    """Join the lists of all answers."""
    whole: Json = {**dict.fromkeys(_JOINED, ()), "preview": ()}
    for answer in answers:
        for name in whole:
            whole[name] = [*whole[name], *(answer.get(name) or ())]
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
