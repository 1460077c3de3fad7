"""Commands that are to read a file which is not there."""

from pathlib import Path

import pytest

from support.commands import ServiceCommands


@pytest.mark.parametrize(
    ("arguments", "end", "code"),
    [
        (("variants", "new", "project", "a.yaml", "--file"), "(usage)", 2),
        (("sweep", "import", "--format", "vllm", "--project", "project"), "(usage)", 2),
        (("sweep", "preview", "--project", "project"), "(usage)", 2),
        (("projects", "add", "project", "acme/x", "--token-file"), "(usage)", 2),
        (("restore",), "(backup_not_read)", 1),
        (("accounts", "create", "jo", "--url", "URL", "--password-file"), "(password_not_read)", 1),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else None,
)
async def test_a_file_that_is_not_there_is_named(
    cli: ServiceCommands, tmp_path: Path, arguments: tuple[str, ...], end: str, code: int
) -> None:
    missing = tmp_path / "nothing.txt"
    given = [cli.url if word == "URL" else word for word in arguments]
    done = await cli(*given, str(missing), code=code)
    assert done.err == f"error: There is no such file: {missing}. {end}\n"
