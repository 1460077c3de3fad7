"""Secrets come from files, and a file without a secret stops the start."""

from pathlib import Path

import pytest

from benchmark_manager.config import SECRETS, Settings, load_settings
from support.refused_settings import KEY, refusal_of


def in_file(folder: Path, content: bytes) -> str:
    path = folder / "secret"
    path.write_bytes(content)
    return str(path)


VALUES = {
    "MONGO_URL": "mongodb://u:hunter2@h/",
    "GITHUB_TOKEN": "ghp_hunter2",
    "SECRET_KEY": KEY,
    "WEBHOOK_SECRET": "hunter2hunter2hunter2",
    "GITHUB_APP_PRIVATE_KEY": "-----BEGIN\nhunter2\n-----END",
    "OIDC_CLIENT_SECRET": "hunter2",
    "GITHUB_OAUTH_CLIENT_SECRET": "hunter2",
}
#: Settings without which a secret is refused.
BESIDE = {"GITHUB_OAUTH_CLIENT_SECRET": {"GITHUB_OAUTH_CLIENT_ID": "bench"}}


def test_every_secret_setting_has_a_file() -> None:
    secret = {
        name
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    assert secret == set(SECRETS) == {name.lower() for name in VALUES}


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("name", VALUES)
def test_a_secret_comes_from_its_file_without_the_line_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, end: str
) -> None:
    path = in_file(tmp_path, (VALUES[name] + end).encode())
    for beside, value in {**BESIDE.get(name, {}), f"{name}_FILE": path}.items():
        monkeypatch.setenv(beside, value)
    assert getattr(load_settings(), name.lower()).get_secret_value() == VALUES[name]


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize("name", VALUES)
def test_a_secret_given_twice_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    path = in_file(tmp_path, VALUES[name].encode())
    refusal = refusal_of(monkeypatch, **{name: VALUES[name], f"{name}_FILE": path})
    assert f"{name} and {name}_FILE are both set" in refusal
    assert "hunter2" not in refusal


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"hunter2\xff", "not UTF-8"),
        (b"x" * 70_000, "more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    refusal = refusal_of(monkeypatch, **{f"{name}_FILE": in_file(tmp_path, content)})
    assert f"{name}_FILE" in refusal
    assert why in refusal
    assert "hunter2" not in refusal


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize("path", ["not-there", ".", "a/b", "~nobody-has-this-name/x"])
def test_a_file_that_cannot_be_read_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    assert "GITHUB_TOKEN_FILE names a file that cannot be read" in refusal_of(
        monkeypatch, GITHUB_TOKEN_FILE=path
    )
