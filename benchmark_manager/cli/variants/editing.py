"""benchmark-manager variants edit: save a text over the revision that was read, or keep it."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import httpx2 as httpx
import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import FAILURES, Failure, is_refusal, report
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
from benchmark_manager.cli.terminal.streams import is_interactive
from benchmark_manager.cli.variants.contents import edit, forget, keep
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, connect
from benchmark_manager.client.errors import RefusedError
from benchmark_manager.client.shapes import FINDING, VARIANT_WITH_CONTENT, fits


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

    If someone else has saved the variant in the meantime, nothing is overwritten; your text is kept
    in a file.
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        path = f"/modified-files/{find_variant(client, project, variant)['id']}"
        answer = client.get(path)
        session = _Session(
            client, path, answer, description=description, allow_invalid=allow_invalid
        )
        if content is not None:
            saved = session.save_from(content)
        elif description is not None:
            saved = session.save(None)
        else:
            saved = session.save_from_editor()
        file = client.json(saved, VARIANT_WITH_CONTENT)
    if as_json:
        output.write_json(saved.text)
    elif file["revision"] == session.file["revision"]:
        output.say("Nothing was changed.")
    else:
        output.say(f"Saved {file['path']} as revision {file['revision']}.")
        for problem in file["problems"]:
            output.say(output.problem_line(file["path"], problem))


class _Session:
    """One variant, as it was read, and what to save besides its text."""

    def __init__(
        self,
        client: Client,
        path: str,
        answer: httpx.Response,
        *,
        description: str | None,
        allow_invalid: bool,
    ) -> None:
        self.file = client.json(answer, VARIANT_WITH_CONTENT)
        self._client = client
        self._path = path
        self._answer = answer
        self._description = description
        self._allow_invalid = allow_invalid

    def save(self, text: str | None) -> httpx.Response:
        """Save a text over the revision that was read, and over no other.

        Raises:
            ClientError
        """
        body = {"content": text, "description": self._description}
        return self._client.send(
            "PUT",
            self._path,
            params={"allow_invalid": "true" if self._allow_invalid else None},
            body={name: value for name, value in body.items() if value is not None},
            if_match=self._answer.headers.get("etag"),
        )

    def save_from(self, source: str) -> httpx.Response:
        text = read_text(source)
        try:
            return self.save(text)
        except FAILURES as error:
            kept = keep(text, self.file["modified_name"]) if source == "-" else Path(source)
            self._explain(error, kept)
            raise

    def save_from_editor(self) -> httpx.Response:
        """Edit and save, again if the person wants; keep the text in a file until it is saved."""
        kept = keep(self.file["content"], self.file["modified_name"])
        try:
            saved = self._edited(kept)
        except FAILURES as error:
            self._explain(error, kept)
            raise
        forget(kept)
        return saved

    def _edited(self, kept: Path) -> httpx.Response:
        while True:
            text = edit(kept)
            if text == self.file["content"]:
                return self._answer
            try:
                return self.save(text)
            except RefusedError as error:
                if not is_refusal(error, "invalid_content") or not is_interactive():
                    raise
                report(error)
                _show_problems(error, kept)
                if not typer.confirm("Open it again?", default=True, err=True):
                    raise

    def _explain(self, error: Failure, kept: Path) -> None:
        """Add notes about the file that holds the text, and about commands to continue with."""
        variants, number = "benchmark-manager variants", self.file["id"]
        command = f"{variants} edit {number} --file {shlex.quote(str(kept))}"
        error.add_note(f"Your text is kept in {kept}.")
        if is_refusal(error, "stale"):
            revision = self.file["revision"]
            error.add_note(f"What is stored now: {variants} show {number}")
            error.add_note(
                f"What others changed: {variants} diff {number} --against revision:{revision}"
            )
            error.add_note(f"Save yours over it: {command}")
        elif is_refusal(error, "invalid_content"):
            _show_problems(error, kept)
            error.add_note(
                f"Correct it, then: {command}. To save it as it is, add --allow-invalid."
            )
        else:
            error.add_note(f"To save it later: {command}")


def _show_problems(error: Failure, file: Path) -> None:
    if isinstance(error, RefusedError):
        problems: Any = error.problem.get("problems")
        for problem in problems if fits(problems, [FINDING]) else ():
            output.say(output.problem_line(str(file), problem))
