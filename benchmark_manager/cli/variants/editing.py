"""benchmark-manager variants edit: a person's text, saved over the revision that was read, or kept in a file."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx2 as httpx
import typer

from benchmark_manager.cli.client.api_client import DEFAULT_URL, Api, connect
from benchmark_manager.cli.client.shapes import FINDING, VARIANT_WITH_CONTENT, fits
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, RefusedError, is_refusal, tell
from benchmark_manager.cli.terminal.lookup import find_variant
from benchmark_manager.cli.terminal.options import (
    AllowInvalid,
    AsJson,
    ContentFile,
    ProjectOption,
    Url,
    VariantArgument,
)
from benchmark_manager.cli.variants.contents import edit, forget, keep, read_content


def edit_variant(
    variant: VariantArgument,
    content: ContentFile = None,
    description: Annotated[
        str | None,
        typer.Option("--description", "-d", help="Change this too; alone, no editor opens."),
    ] = None,
    allow_invalid: AllowInvalid = False,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Open a variant in $VISUAL or $EDITOR, and save it.

    If somebody else saved it meanwhile, nothing is overwritten: your text is kept in a file, which
    is named.
    """
    with output.refusals_as_json(as_json), connect(url) as api:
        path = f"/modified-files/{find_variant(api, project, variant)['id']}"
        answer = api.get(path)
        session = _Session(api, path, answer, description=description, allow_invalid=allow_invalid)
        if content is not None:
            saved = session.save_from(content)
        elif description is not None:
            saved = session.save(None)
        else:
            saved = session.save_from_editor()
        file = api.json(saved, VARIANT_WITH_CONTENT)
    if as_json:
        output.write_json(saved.text)
    elif file["revision"] == session.file["revision"]:
        output.say("Nothing was changed.")
    else:
        output.say(f"Saved {file['path']} as revision {file['revision']}.")
        for problem in file["problems"]:
            output.say(output.problem_line(file["path"], problem))


class _Session:
    """One variant, as it was read, and what is to be saved of it."""

    def __init__(
        self,
        api: Api,
        path: str,
        answer: httpx.Response,
        *,
        description: str | None,
        allow_invalid: bool,
    ) -> None:
        self.file = api.json(answer, VARIANT_WITH_CONTENT)
        self._api = api
        self._path = path
        self._answer = answer
        self._description = description
        self._allow_invalid = allow_invalid

    def save(self, text: str | None) -> httpx.Response:
        """Save over the revision that was read, and no other.

        Raises:
            RefusedError, UnreachableError
        """
        body = {"content": text, "description": self._description}
        return self._api.send(
            "PUT",
            self._path,
            params={"allow_invalid": "true" if self._allow_invalid else None},
            body={name: value for name, value in body.items() if value is not None},
            if_match=self._answer.headers.get("etag"),
        )

    def save_from(self, source: str) -> httpx.Response:
        text = read_content(source)
        try:
            return self.save(text)
        except CommandError as error:
            place = keep(text, self.file["modified_name"]) if source == "-" else Path(source)
            self._explain(error, place)
            raise

    def save_from_editor(self) -> httpx.Response:
        """Edit and save, as often as the person wants to; the text stays in its file until it is saved."""
        place = keep(self.file["content"], self.file["modified_name"])
        try:
            saved = self._edited(place)
        except CommandError as error:
            self._explain(error, place)
            raise
        forget(place)
        return saved

    def _edited(self, place: Path) -> httpx.Response:
        while True:
            text = edit(place)
            if text == self.file["content"]:
                return self._answer
            try:
                return self.save(text)
            except RefusedError as error:
                if not is_refusal(error, "invalid_content") or not _is_terminal():
                    raise
                tell(error)
                _show_problems(error, place)
                if not typer.confirm("Open it again?", default=True, err=True):
                    raise

    def _explain(self, error: CommandError, place: Path) -> None:
        """Say where the text is, and how to go on."""
        variants, number = "benchmark-manager variants", self.file["id"]
        command = f"{variants} edit {number} --file {shlex.quote(str(place))}"
        lines = [f"Your text is kept in {place}."]
        if is_refusal(error, "stale"):
            lines += [
                f"What is stored now: {variants} show {number}",
                f"What the others changed: {variants} diff {number} --against revision:{self.file['revision']}",
                f"Save yours over it: {command}",
            ]
        elif is_refusal(error, "invalid_content"):
            _show_problems(error, place)
            lines.append(f"Correct it, then: {command}. To save it as it is, add --allow-invalid.")
        else:
            lines.append(f"To save it later: {command}")
        error.lines = (*error.lines, *lines)


def _show_problems(error: CommandError, place: Path) -> None:
    if isinstance(error, RefusedError):
        problems: Any = error.problem.get("problems")
        for problem in problems if fits(problems, [FINDING]) else ():
            output.say(output.problem_line(str(place), problem))


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
