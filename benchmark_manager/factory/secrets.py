"""Keys for stored tokens, and the GitHub App of the settings."""

import contextlib
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from benchmark_manager.config import Settings, split_keys
from benchmark_manager.errors import StartError, reason_of
from benchmark_manager.factory.databases import make_data_dir
from benchmark_manager.github.sending.app import GitHubApp
from benchmark_manager.github.sending.requests import Connection
from benchmark_manager.services.projects.tokens import TokenVault

_log = structlog.get_logger(__name__)


_KEY_FILE: Final = "secret.key"


def secret_keys(settings: Settings) -> list[str]:
    """Return the Fernet keys: the first encrypts, all decrypt.

    Raises:
        StartError: the generated key cannot be read or written.
    """
    return split_keys(
        settings.secret_key.get_secret_value() if settings.secret_key else _generated_key(settings)
    )


def token_vault(settings: Settings, keys: list[str] | None = None) -> TokenVault:
    """Return the vault for stored tokens, with these keys or those of the settings.

    Raises:
        StartError: the generated key cannot be read or written.
    """
    token = settings.github_token
    return TokenVault(
        secret_keys(settings) if keys is None else keys,
        None if token is None else token.get_secret_value(),
        settings.github_api_urls[0],
        settings.github_owners,
        confirmed_only=settings.auth != "open",
    )


def _generated_key(settings: Settings) -> str:
    """Return the key in DATA_DIR, or make it; never replace it, as tokens may depend on it."""
    path = settings.data_dir / _KEY_FILE
    make_data_dir(settings.data_dir)
    try:
        if not path.exists():
            _write_once(path, Fernet.generate_key())
            _log.info("a key for stored tokens was made; keep it with your backups", path=str(path))
        text = path.read_text().strip()
        Fernet(text)
    except OSError as error:
        raise StartError(f"The key {path} cannot be read or made: {reason_of(error)}.") from None
    except ValueError:
        raise StartError(
            f"{path} holds no Fernet key; restore it from a backup, or set SECRET_KEY."
        ) from None
    if settings.mongo_url is not None:
        _log.warning(
            "SECRET_KEY is not set: other replicas cannot read the tokens that this one stores"
        )
    return text


def _write_once(path: Path, key: bytes) -> None:
    """Appear whole or not at all, and never over another process's key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + b"\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def github_app(
    settings: Settings, connection: Connection, clock: Callable[[], datetime]
) -> GitHubApp | None:
    """Return the App of the settings, at the first API base.

    Raises:
        StartError: its key cannot be read, or is none.
    """
    if settings.github_app_id is None:
        return None
    if settings.github_app_private_key is None:
        raise StartError(
            "GITHUB_APP_ID is set, but neither GITHUB_APP_PRIVATE_KEY nor "
            "GITHUB_APP_PRIVATE_KEY_FILE."
        )
    text = settings.github_app_private_key.get_secret_value()
    # Where a line break is hard to write, as in .env, keys are often given with these.
    text = text.replace("\\n", "\n").strip() + "\n"
    try:
        load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise StartError(
            "GITHUB_APP_PRIVATE_KEY is no private key in PEM; download one from the App's page."
        ) from None
    return GitHubApp(connection, settings.github_api_urls[0], settings.github_app_id, text, clock)
