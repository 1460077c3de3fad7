"""Find projects, files, variants, sweeps and accounts by id, name, path, or a part of it."""

import re
from collections.abc import Sequence
from typing import Final

from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError, is_refusal
from benchmark_manager.client.client import Client, Json
from benchmark_manager.client.errors import RefusedError
from benchmark_manager.client.shapes import (
    ACCOUNT,
    FILE,
    PROJECT,
    SWEEP,
    TRASHED,
    VARIANT,
    Shape,
)
from benchmark_manager.client.sweeps import Sweeps
from benchmark_manager.domain.fields import LONGEST_NAME_QUERY, LONGEST_PATH_QUERY
from benchmark_manager.domain.text.folding import fold

_ID: Final = re.compile(r"[0-9a-f]{24}", re.IGNORECASE)
_CANDIDATES_SHOWN: Final = 10
_DIGEST: Final = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})", re.IGNORECASE)
_CELL: Final = re.compile(r"(.+)/([0-9]{1,9})", re.DOTALL)
#: Characters of a digest in a table; all commands accept that much of it.
SHORT_DIGEST: Final = len("sha256:") + 12


def find_release(client: Client, project: str | None, reference: str) -> str:
    """Return the hex digits of a release, or of the beginning of its digest.

    Args:
        client: a connection to the service.
        project: of the sweep, if `reference` has a name of one.
        reference: a digest, its first digits, or a cell of a sweep: `SWEEP/INDEX`.

    Raises:
        CommandError: what `find_sweep` raises.
        WrongUsageError: it is neither.
        RefusedError: `cell_not_found`.
    """
    return find_release_and_project(client, project, reference)[0]


def find_release_and_project(
    client: Client, project: str | None, reference: str
) -> tuple[str, str | None]:
    """Return the hex digits of a release as `find_release` does, and the id of its project.

    That is the project of the sweep, or else the one that is given; None if none is.
    """
    match = _CELL.fullmatch(reference)
    if match is None:
        digits = digest_digits(reference)
        return digits, None if project is None else find_project(client, project)["id"]
    sweep = find_sweep(client, project, match[1])
    cell = Sweeps(client).cell(sweep["id"], int(match[2]))
    return digest_digits(cell["digest"]), sweep["project_id"]


def digest_digits(reference: str) -> str:
    """Return the hex digits of a digest, or of the beginning of one.

    Raises:
        WrongUsageError: it is none.
    """
    match = _DIGEST.fullmatch(reference)
    if match is None:
        raise WrongUsageError(
            "DIGEST must be at least 12 hex digits of a digest, with or without `sha256:`, or a "
            "cell of a sweep, such as SWEEP/3."
        )
    return match[1].lower()


def find_project(client: Client, reference: str) -> Json:
    """Return a project by id, by name regardless of case and Unicode form, or by a part of a name.

    Raises:
        CommandError: `project_not_found` or `project_ambiguous`.
    """
    by_id = _by_id(client, "/projects", reference, "project_not_found", PROJECT)
    if by_id is not None:
        return by_id
    rows = (
        client.rows("/projects", PROJECT, q=reference)
        if 0 < len(reference) <= LONGEST_NAME_QUERY
        else []
    )
    return _the_one("project", reference, rows, ("name",))


def find_account(client: Client, reference: str) -> Json:
    """Return an account by id, by name regardless of case, or by a part of a name.

    Raises:
        CommandError: `account_not_found` or `account_ambiguous`.
    """
    by_id = _by_id(client, "/accounts", reference, "account_not_found", ACCOUNT)
    if by_id is not None:
        return by_id
    is_name = 0 < len(reference) <= LONGEST_NAME_QUERY
    rows = client.rows("/accounts", ACCOUNT, q=reference) if is_name else []
    return _the_one("account", reference, rows, ("name",))


def find_file(client: Client, project_id: str, reference: str) -> Json:
    """Return an original by id, path, name or a part of its path.

    Raises:
        CommandError: `file_not_found` or `file_ambiguous`.
    """
    path = f"/projects/{project_id}/files"
    by_id = _by_id(client, path, reference, "file_not_found", FILE)
    if by_id is not None:
        return by_id
    rows = client.rows(path, FILE, q=reference) if 0 < len(reference) <= LONGEST_PATH_QUERY else []
    return _the_one("file", reference, rows, ("path", "name"))


def find_variant(client: Client, project: str | None, reference: str) -> Json:
    """Return a variant by id; or in `project` by path, name or a part of its path.

    Raises:
        CommandError: `variant_not_found`, `variant_ambiguous`, or what `find_project` raises.
        WrongUsageError: it is not an id, and no project is given.
    """
    by_id = _by_id(client, "/modified-files", reference, "modified_file_not_found", VARIANT)
    if by_id is not None:
        return by_id
    return _in_project(client, project, reference, "modified-files")


def find_sweep(client: Client, project: str | None, reference: str) -> Json:
    """Return a sweep by id; or in `project` by name or a part of its name.

    Raises:
        CommandError: `sweep_not_found`, `sweep_ambiguous`, or what `find_project` raises.
        WrongUsageError: it is not an id, and no project is given.
    """
    by_id = _by_id(client, "/sweeps", reference, "sweep_not_found", SWEEP)
    if by_id is not None:
        return by_id
    project_id = _project_of("sweep", client, project, reference)
    wanted = fold(reference)
    sweeps = Sweeps(client).of_project(project_id) if wanted else ()
    rows = [row for row in sweeps if wanted in fold(row["name"])]
    return _the_one("sweep", reference, rows, ("name",))


def find_deleted_variant(client: Client, project: str | None, reference: str) -> Json:
    """Return a deleted variant as `find_variant` does; without a project, only the given id."""
    if project is None and _ID.fullmatch(reference):
        return {"id": reference.lower()}
    return _in_project(client, project, reference, "trash")


def _in_project(client: Client, project: str | None, reference: str, collection: str) -> Json:
    path = f"/projects/{_project_of('variant', client, project, reference)}/{collection}"
    if collection == "trash":
        wanted = fold(reference)
        rows = [
            row
            for row in client.rows(path, TRASHED)
            if row["id"] == reference.lower() or wanted in fold(row["path"])
        ]
        if len(rows) == 1:
            return rows[0]
    else:
        rows = (
            client.rows(path, VARIANT, q=reference)
            if 0 < len(reference) <= LONGEST_PATH_QUERY
            else []
        )
    return _the_one("variant", reference, rows, ("path", "modified_name"))


def _project_of(noun: str, client: Client, project: str | None, reference: str) -> str:
    """Return the id of the project in which a name is to be found."""
    if project is None and _ID.fullmatch(reference):
        raise _no_such(noun, reference)
    if project is None:
        raise WrongUsageError(f"'{reference}' is not an id; name its project with --project.")
    return str(find_project(client, project)["id"])


def _by_id(
    client: Client, collection: str, reference: str, missing: str, shape: Shape
) -> Json | None:
    """Return the resource with an id; None if the reference is not its id and may be a name."""
    if not _ID.fullmatch(reference):
        return None
    try:
        found: Json = client.json(client.get(f"{collection}/{reference.lower()}"), shape)
    except RefusedError as error:
        if is_refusal(error, missing):
            return None
        raise
    return found


def _the_one(noun: str, reference: str, rows: Sequence[Json], names: Sequence[str]) -> Json:
    """Return the row with this name: exactly, or in another case or Unicode form, or the only row.

    Raises:
        CommandError: there is no such row, or there are several.
    """
    for same in (_exactly, _folded):
        for name in names:
            called_so = [row for row in rows if same(row[name], reference)]
            if len(called_so) == 1:
                return called_so[0]
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise _no_such(noun, reference)
    shown = [f"  {row['id']}  {row[names[0]]}" for row in rows[:_CANDIDATES_SHOWN]]
    more = [f"  ... and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else []
    detail = f"'{reference}' may mean any of {len(rows)} {noun}s; give more of it, or the id."
    raise CommandError(detail, f"{noun}_ambiguous", *shown, *more)


def _no_such(noun: str, reference: str) -> CommandError:
    return CommandError(f"There is no {noun} '{reference}'.", f"{noun}_not_found")


def _exactly(name: str, reference: str) -> bool:
    return name == reference


def _folded(name: str, reference: str) -> bool:
    return fold(name) == fold(reference)
