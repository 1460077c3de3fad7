"""benchmark-manager variants rebase: bringing upstream's changes into a variant, and deciding conflicts."""

import json
import shlex
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from benchmark_manager.cli.client.api_client import DEFAULT_URL, Api, Json, connect
from benchmark_manager.cli.client.shapes import CONFLICTS, MERGE, VARIANT, fits
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import RefusedError, WrongUsageError, is_refusal
from benchmark_manager.cli.terminal.lookup import find_variant
from benchmark_manager.cli.terminal.options import (
    AllowInvalid,
    AsJson,
    ContentFile,
    ProjectOption,
    Url,
    VariantArgument,
)
from benchmark_manager.cli.variants.contents import read_content

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
        bool, typer.Option("--preview", help="Show what would come of it, and change nothing.")
    ] = False,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Bring what changed upstream into a variant.

    What both changed differently is shown as a conflict, and nothing is saved until each is
    decided: by --take and
    --set, key by key, or by the whole merged text with --file.
    """
    body = _body(take or [], set_value or [], content)
    if preview and body:
        raise WrongUsageError(
            "--preview decides nothing; leave --take, --set and --file out, or --preview."
        )
    with output.refusals_as_json(as_json), connect(url) as api:
        found = find_variant(api, project, variant)
        if preview:
            _preview(api, found, as_json=as_json)
            return
        try:
            answer = api.send(
                "POST",
                f"/modified-files/{found['id']}/rebase",
                params={"allow_invalid": "true" if allow_invalid else None},
                body=body,
            )
        except RefusedError as error:
            conflicts: Any = error.problem.get("conflicts")
            if is_refusal(error, "merge_conflict") and not as_json and fits(conflicts, CONFLICTS):
                _show_conflicts(conflicts)
                error.lines = (*error.lines, _how_to_decide(found, conflicts))
            raise
        rebased = api.json(answer, VARIANT)
    if as_json:
        output.write_json(answer.text)
    elif rebased["base_sha"] == found["base_sha"] and rebased["revision"] == found["revision"]:
        output.say(f"{rebased['path']} is based on what is upstream already.")
    else:
        output.say(f"Rebased {rebased['path']} as revision {rebased['revision']}.")


def _body(take: Sequence[str], set_value: Sequence[str], content: str | None) -> Json:
    resolutions = [_taken(text) for text in take] + [_set(text) for text in set_value]
    if content is not None and resolutions:
        raise WrongUsageError(
            "--file is the whole text; it leaves nothing for --take and --set to decide."
        )
    if content is not None:
        return {"content": read_content(content)}
    return {"resolutions": resolutions} if resolutions else {}


def _taken(text: str) -> Json:
    """`KEY=theirs`, or `theirs` for a conflict of whole texts."""
    path, equals, side = text.rpartition("=")
    if side not in {"theirs", "mine"}:
        raise WrongUsageError(f"--take {text}: write KEY=theirs or KEY=mine.")
    return {"path": path if equals else None, "take": side}


def _set(text: str) -> Json:
    """`KEY=JSON`. A key may hold `=`: it ends at the first one which JSON follows."""
    for index, character in enumerate(text):
        if character == "=" and (value := _json(text[index + 1 :])) is not None:
            return {"path": text[:index], "take": "value", "value": value[0]}
    raise WrongUsageError(
        f"--set {text}: write KEY=JSON, a text in double quotes, as in --set 'model.name=\"llama\"'."
    )


def _json(text: str) -> tuple[Any] | None:
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None


def _preview(api: Api, found: Json, *, as_json: bool) -> None:
    answer = api.get(f"/modified-files/{found['id']}/merge")
    if as_json:
        output.write_json(answer.text)
        return
    merge = api.json(answer, MERGE)
    if merge["outcome"] == "conflict":
        _show_conflicts(merge["conflicts"])
        output.say(_how_to_decide(found, merge["conflicts"]))
    elif merge["outcome"] == "nothing":
        output.say("There is nothing to bring in.")
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
    return f"Decide: benchmark-manager variants rebase {found['id']} --take {example}, or give the merged text by --file."
