"""benchmark-manager variants rebase: apply upstream's changes to a variant, decide conflicts."""

import json
import shlex
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import WrongUsageError, is_refusal
from benchmark_manager.cli.terminal.given_texts import read_text
from benchmark_manager.cli.terminal.lookup import find_variant
from benchmark_manager.cli.terminal.options import (
    AllowInvalid,
    AsJson,
    ContentFile,
    ProjectOption,
    Url,
    VariantArgument,
)
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.errors import RefusedError
from benchmark_manager.client.shapes import CONFLICTS, MERGE, VARIANT, fits
from benchmark_manager.domain.text.strict_json import refuse_constant, unique_members

_SIDES = ("base", "theirs", "mine")


def rebase_variant(
    variant: VariantArgument,
    take: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=theirs|mine",
            help="Decide a conflict; may be repeated. Where it has no key: `theirs` or `mine`.",
        ),
    ] = None,
    set_value: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=JSON", help="Decide a conflict by a third value; may be repeated."
        ),
    ] = None,
    content: ContentFile = None,
    allow_invalid: AllowInvalid = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show the result, and change nothing.")
    ] = False,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Apply what changed upstream to a variant.

    Where both sides changed the same value differently, there is a conflict, and nothing is saved
    until each conflict is decided: by --take and --set for each key, or by the whole merged text
    with --file.
    """
    body = _body(take or [], set_value or [], content)
    if preview and body:
        raise WrongUsageError("--preview cannot be combined with --take, --set or --file.")
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_variant(client, project, variant)
        if preview:
            _preview(client, found, as_json=as_json)
        else:
            _rebase(client, found, body, allow_invalid=allow_invalid, as_json=as_json)


def _rebase(client: Client, found: Json, body: Json, *, allow_invalid: bool, as_json: bool) -> None:
    try:
        answer = client.send(
            "POST",
            f"/modified-files/{found['id']}/rebase",
            params={"allow_invalid": "true" if allow_invalid else None},
            body=body,
        )
    except RefusedError as error:
        conflicts: Any = error.problem.get("conflicts")
        if is_refusal(error, "merge_conflict") and not as_json and fits(conflicts, CONFLICTS):
            _show_conflicts(conflicts)
            error.add_note(_how_to_decide(found, conflicts))
        raise
    rebased = client.json(answer, VARIANT)
    if as_json:
        output.write_json(answer.text)
    elif rebased["base_sha"] == found["base_sha"] and rebased["revision"] == found["revision"]:
        output.say(f"{rebased['path']} is already based on the newest original.")
    else:
        output.say(f"Rebased {rebased['path']} as revision {rebased['revision']}.")


def _body(take: Sequence[str], set_value: Sequence[str], content: str | None) -> Json:
    resolutions = [_taken(text) for text in take] + [_set(text) for text in set_value]
    if content is not None and resolutions:
        raise WrongUsageError("--file gives the whole text, so --take and --set cannot be used.")
    if content is not None:
        return {"content": read_text(content)}
    return {"resolutions": resolutions} if resolutions else {}


def _taken(text: str) -> Json:
    """Parse `KEY=theirs`, or `theirs` for a conflict of whole texts."""
    path, equals, side = text.rpartition("=")
    if side not in {"theirs", "mine"}:
        raise WrongUsageError(f"--take {text}: write KEY=theirs or KEY=mine.")
    return {"path": path if equals else None, "take": side}


def _set(text: str) -> Json:
    """Parse `KEY=JSON`. A key may contain `=`: it ends at the first one that JSON follows."""
    for index, character in enumerate(text):
        if character == "=" and (value := _json(text[index + 1 :])) is not None:
            return {"path": text[:index], "take": "value", "value": value[0]}
    example = "--set 'model.name=\"llama\"'"
    raise WrongUsageError(f"--set {text}: write KEY=JSON, texts in double quotes, as in {example}.")


def _json(text: str) -> tuple[Any] | None:
    try:
        return (json.loads(text, object_pairs_hook=unique_members, parse_constant=refuse_constant),)
    except (ValueError, RecursionError):
        return None


def _preview(client: Client, found: Json, *, as_json: bool) -> None:
    answer = client.get(f"/modified-files/{found['id']}/merge")
    if as_json:
        output.write_json(answer.text)
        return
    merge = client.json(answer, MERGE)
    if merge["outcome"] == "conflict":
        _show_conflicts(merge["conflicts"])
        output.say(_how_to_decide(found, merge["conflicts"]))
    elif merge["outcome"] == "nothing":
        output.say("The original has not changed.")
    else:
        output.write(merge["content"] or "")
        output.say(f"It merges cleanly, by {'lines' if merge['outcome'] == 'text' else 'keys'}.")


def _show_conflicts(conflicts: Sequence[Json]) -> None:
    output.table(
        ("KEY", ">LINE", "BASE", "THEIRS", "MINE"),
        [
            (
                *(conflict["path"] if conflict["path"] is not None else "(text)", conflict["line"]),
                *(_side(conflict, side) for side in _SIDES),
            )
            for conflict in conflicts
        ],
    )


def _side(conflict: Json, side: str) -> str:
    if side in conflict["absent"]:
        return "(absent)"
    if conflict["path"] is None:
        return str(conflict[side])
    return output.value_at(conflict, side)


def _how_to_decide(found: Json, conflicts: Sequence[Json]) -> str:
    keyed = next((conflict["path"] for conflict in conflicts if conflict["path"] is not None), None)
    example = "theirs" if keyed is None else shlex.quote(f"{keyed}=theirs")
    command = f"benchmark-manager variants rebase {found['id']} --take {example}"
    return f"Decide: {command}, or give the merged text by --file."
