"""The key of the service: generated once, for its owner only, and never replaced."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from benchmark_manager.config import Settings
from benchmark_manager.errors import StartError
from benchmark_manager.factory import token_vault
from benchmark_manager.models.project import Project, RepositoryAddress, Source
from support.refused_settings import KEY


def settings_with(folder: Path, **values: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **values)  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_data_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    with pytest.raises(StartError, match="cannot be read or made"):
        token_vault(settings_with(tmp_path / "data"))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe\x00", KEY[:-4].encode()])
def test_a_damaged_key_file_stops_the_start_and_is_never_replaced(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(StartError, match=r"secret\.key holds no Fernet key; restore it") as refused:
        token_vault(settings_with(tmp_path))
    assert "\n" not in refused.value.detail
    assert (tmp_path / "secret.key").read_bytes() == content


def test_a_key_file_that_is_a_folder_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(StartError, match="cannot be read or made"):
        token_vault(settings_with(tmp_path))


REPOSITORY = RepositoryAddress(api_url="https://api.github.com", owner="o", name="r")
PROJECT_ID = "65f0c0ffee65f0c0ffee65f0"


def project_with(encrypted: str | None) -> Project:
    source = Source(
        repository=REPOSITORY, config_folder="config", job_folder="job", encrypted_token=encrypted
    )
    now = datetime.now(UTC)
    return Project(
        id=PROJECT_ID, name="p", source=source, polling_interval=0, created_at=now, updated_at=now
    )


def test_only_its_owner_can_read_the_generated_key_which_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    encrypted = token_vault(settings_with(folder)).encrypt("ghp_secret", PROJECT_ID, REPOSITORY)
    key = folder / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = key.read_bytes()
    assert token_vault(settings_with(folder)).own_token(project_with(encrypted)) == "ghp_secret"
    assert key.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["secret.key"]


def test_no_key_is_generated_if_one_is_set(tmp_path: Path) -> None:
    token_vault(settings_with(tmp_path, secret_key=SecretStr(KEY)))
    assert list(tmp_path.iterdir()) == []


def test_the_services_token_goes_to_the_first_api_only(tmp_path: Path) -> None:
    urls = ("https://api.github.com", "https://ghe.example/api/v3")
    vault = token_vault(
        settings_with(tmp_path, github_token=SecretStr("ghp_service"), github_api_urls=urls)
    )
    own = project_with(vault.encrypt("ghp_own", PROJECT_ID, REPOSITORY))
    assert [vault.own_token(project) for project in (own, project_with(None))] == ["ghp_own", None]
    addresses = [
        REPOSITORY.model_copy(update={"api_url": url}) for url in (*urls, "https://other.example")
    ]
    assert [vault.service_token(address, confirmed=True) for address in addresses] == [
        "ghp_service",
        None,
        None,
    ]
