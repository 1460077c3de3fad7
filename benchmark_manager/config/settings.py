"""All settings, and how they are read."""

import ipaddress
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, Self

from cryptography.fernet import Fernet
from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from benchmark_manager import messages
from benchmark_manager.config.access import AccessSettings, CommaSeparated
from benchmark_manager.domain.fields import is_polling_interval
from benchmark_manager.domain.http.addresses import (
    api_base,
    is_cors_origin,
    is_open_to_others,
    origin,
)
from benchmark_manager.domain.http.root_path import normalise_root_path
from benchmark_manager.domain.projects.folders import normalise_folder
from benchmark_manager.errors import InvalidInputError, StartError, reason_of
from benchmark_manager.stores.database.url import check_url

_ENV_FILE = Path(".env")
_DB_NAME = re.compile(r"[^/\\. \"$*<>:|?\x00]{1,63}")

#: Each may also be given in a file, whose path is the setting of the same name with `_file`.
SECRETS: Final = (
    "mongo_url",
    "github_token",
    "secret_key",
    "webhook_secret",
    "github_app_private_key",
    "oidc_client_secret",
    "github_oauth_client_secret",
)
#: Bytes of a file with a secret.
_LONGEST_SECRET: Final = 65_536
_SHORTEST_WEBHOOK_SECRET: Final = 16
#: Seconds between polls.
_SHORTEST_INTERVAL: Final = 10
_LONGEST_INTERVAL: Final = 604_800
_HOST_PATTERN: Final = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\*")
_OWNER: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


class Settings(AccessSettings):
    """Each setting is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=_ENV_FILE,
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
    )

    mongo_url: SecretStr | None = Field(
        default=None,
        description="MongoDB URL of a replica set. Unset: the service starts and stops an embedded "
        "database in DATA_DIR (for evaluation on one machine).",
    )
    mongo_url_file: Path | None = Field(default=None, description="A file with the MongoDB URL.")
    db_name: str = Field(
        default="benchmark_manager", description="Database name, unless MONGO_URL has one."
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("benchmark-manager", appauthor=False),
        description="Folder for the embedded database and generated keys.",
    )
    github_token: SecretStr | None = Field(
        default=None,
        description="GitHub token for projects without their own; sent only to the first entry of "
        "GITHUB_API_URLS.",
    )
    github_token_file: Path | None = Field(
        default=None, description="A file with the GitHub token."
    )
    github_owners: CommaSeparated = Field(
        default=(),
        description="Comma-separated owners (users or organisations) whose repositories may be "
        "read with GITHUB_TOKEN and the GitHub App; unset: all, and unless AUTH=open only those "
        "that an administrator chose for a project.",
    )
    github_api_urls: CommaSeparated = Field(
        default=("https://api.github.com",),
        description="Comma-separated API base URLs that projects may use; for GitHub Enterprise "
        "Server: https://HOST/api/v3.",
    )
    allow_insecure_github: bool = Field(
        default=False,
        description="on: GITHUB_API_URLS may list http:// addresses of other machines, to which "
        "tokens are sent unencrypted.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Comma-separated Fernet keys for stored tokens; the first encrypts, all "
        "decrypt. Unset: a key is generated in DATA_DIR.",
    )
    secret_key_file: Path | None = Field(default=None, description="A file with the Fernet keys.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=8001, ge=0, le=65535, description="Port to listen on; 0: any free port."
    )
    public_url: str | None = Field(
        default=None,
        description="Address at which browsers and GitHub reach the service, such as "
        "https://bench.example.com; links, redirects and the webhook's address begin with it.",
    )
    root_path: str | None = Field(
        default=None,
        description="Path at which a proxy serves the service, such as /benchmarks, whether or not "
        "the proxy removes it; links, redirects, cookies and the webhook's address begin with it. "
        "Unset: X-Forwarded-Prefix of TRUSTED_PROXIES, else none.",
    )
    allowed_hosts: CommaSeparated = Field(
        default=(),
        description="Comma-separated host names that requests may use; *.example.com: all "
        "subdomains; *: any. Unset: names without a dot, *.svc and *.cluster.local. IP addresses, "
        "localhost and PUBLIC_URL's host are always allowed.",
    )
    trusted_proxies: CommaSeparated = Field(
        default=(),
        description="Comma-separated addresses or networks of proxies whose X-Forwarded-For, "
        "-Proto, -Host and -Prefix headers are trusted.",
    )
    default_config_folder: str = Field(
        default="config", description="Config folder of projects that set none."
    )
    default_job_folder: str = Field(
        default="job", description="Job folder of projects that set none."
    )
    default_polling_interval: int = Field(
        default=180,
        description="Seconds between polls of projects that set none: 10 to 604800, or 0 for no "
        "polls.",
    )
    max_file_size: int = Field(
        default=1_048_576,
        ge=1,
        le=15_728_640,
        description="Bytes of a file, at most 15728640 (the limit of a MongoDB document); larger "
        "files are listed as skipped.",
    )
    max_result_size: int = Field(
        default=16_777_216,
        ge=1,
        le=31_457_280,
        description="Bytes of a result that is uploaded, at most 31457280.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="HMAC secret of POST /webhooks/github, at least 16 characters; unset: that "
        "route answers 404.",
    )
    webhook_secret_file: Path | None = Field(
        default=None, description="A file with the webhooks' secret."
    )
    github_app_id: str | None = Field(
        default=None,
        description="A GitHub App whose installations are used for projects without their own "
        "token.",
    )
    github_app_private_key: SecretStr | None = Field(
        default=None, description="The App's private key, in PEM format."
    )
    github_app_private_key_file: Path | None = Field(
        default=None, description="A file with the App's private key."
    )
    github_batch_threshold: int = Field(
        default=500,
        ge=1,
        description="Number of due projects per credential from which branches are checked in "
        "GraphQL batches.",
    )
    sync_retention_days: int = Field(
        default=30, ge=1, le=3650, description="Days that sync history is kept."
    )
    sync_retention_count: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="Most syncs that the history of one project keeps.",
    )
    trash_retention_days: int = Field(
        default=30, ge=1, le=3650, description="Days that deleted variants are kept."
    )
    cors_origins: CommaSeparated = Field(
        default=(),
        description="Comma-separated origins whose pages may call the API; `*` allows any, without "
        "credentials.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe level that is logged."
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="console for people, json for machines."
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, object]) -> dict[str, object]:
        """Read each secret from its `…_file`, if that is given."""
        return {**values, **_secrets_of_files(values)}

    @field_validator("data_dir")
    @classmethod
    def _expand_home(cls, value: Path) -> Path:
        try:
            return value.expanduser()
        except RuntimeError:
            raise ValueError("names the home of a user who does not have one") from None

    @field_validator(
        *("github_api_urls", "cors_origins", "allowed_hosts", "trusted_proxies", "github_owners"),
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _ignore_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("github_api_urls")
    @classmethod
    def _check_api_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must name at least one API base URL")
        return tuple(api_base(url) for url in value)

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        return None if value is None else origin(value)

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str | None) -> str | None:
        try:
            return None if value is None else normalise_root_path(value)
        except InvalidInputError as error:
            raise ValueError(messages.detail(error).rstrip(".")) from None

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.lower().rstrip(".") for name in value)
        if not all(_HOST_PATTERN.fullmatch(name) for name in names):
            raise ValueError(
                "must list host names such as bench.example.com or *.example.com, "
                "without scheme or port"
            )
        return names

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ipaddress.ip_network(network)) for network in value)
        except ValueError:
            raise ValueError(
                "must list IP addresses or networks, such as 10.0.0.7 or 10.0.0.0/8"
            ) from None

    @field_validator("github_owners")
    @classmethod
    def _check_owners(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        owners = tuple(owner.lower() for owner in value)
        if not all(_OWNER.fullmatch(owner) for owner in owners):
            raise ValueError("must list users or organisations of GitHub, such as acme")
        return owners

    @field_validator("webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        # An empty secret is none, as in the environment.
        if value is not None and 0 < len(value.get_secret_value()) < _SHORTEST_WEBHOOK_SECRET:
            raise ValueError(
                f"must have at least {_SHORTEST_WEBHOOK_SECRET} characters, or deliveries can be "
                "forged; make one with: openssl rand -hex 32"
            )
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each == "*" or is_cors_origin(each) for each in value):
            raise ValueError("must list origins such as https://bench.example.com, without a path")
        return value

    @field_validator("default_config_folder", "default_job_folder")
    @classmethod
    def _check_folder(cls, value: str) -> str:
        try:
            return normalise_folder(value, field="it")
        except InvalidInputError as error:
            raise ValueError(messages.detail(error).rstrip(".")) from None

    @field_validator("default_polling_interval")
    @classmethod
    def _check_interval(cls, value: int) -> int:
        if not is_polling_interval(value):
            raise ValueError("must be 0, or 10 to 604800 seconds")
        return value

    @field_validator("db_name")
    @classmethod
    def _check_db_name(cls, value: str) -> str:
        if not _DB_NAME.fullmatch(value):
            raise ValueError("is not a database name that MongoDB accepts")
        return value

    @field_validator("github_token")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", value.get_secret_value()):
            raise ValueError("must be 1 to 255 printable ASCII characters without spaces")
        return value

    @field_validator("secret_key")
    @classmethod
    def _check_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            # A value that is only a comma has no key.
            for key in split_keys(value.get_secret_value()) or [""]:
                _check_key(key)
        return value

    @model_validator(mode="after")
    def _check_proxy(self) -> Self:
        if self.auth == "proxy" and not self.trusted_proxies:
            raise ValueError("AUTH=proxy needs TRUSTED_PROXIES, whose headers name people")
        return self

    @model_validator(mode="after")
    def _check_encryption(self) -> Self:
        open_ones = [url for url in self.github_api_urls if is_open_to_others(url)]
        if open_ones and not self.allow_insecure_github:
            raise ValueError(
                f"GITHUB_API_URLS lists {open_ones[0]}, to which tokens would be sent unencrypted; "
                "use https://, or set ALLOW_INSECURE_GITHUB=on"
            )
        return self

    @model_validator(mode="after")
    def _check_mongo_url(self) -> Self:
        if self.mongo_url is not None:
            try:
                check_url(self.mongo_url.get_secret_value())
            except OSError as error:
                raise ValueError(
                    f"MONGO_URL names a file that cannot be read ({reason_of(error)})"
                ) from None
            except ValueError:
                raise ValueError(
                    "MONGO_URL is not a MongoDB URL such as mongodb://HOST:PORT/?replicaSet=NAME"
                ) from None
        return self


def split_keys(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _check_key(key: str) -> None:
    try:
        Fernet(key)
    except ValueError:
        raise ValueError(
            "must be one or more Fernet keys (32 bytes in URL-safe base64), comma-separated; "
            "make one with: python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())'"
        ) from None


def _secrets_of_files(values: Mapping[str, object]) -> dict[str, str]:
    """Return the secrets whose files the settings `values` name."""
    found = {}
    for name in SECRETS:
        path = values.get(f"{name}_file")
        if not isinstance(path, str | Path) or not str(path):
            continue
        variable = f"{name.upper()}_FILE"
        if values.get(name) not in {None, ""}:
            raise ValueError(f"{name.upper()} and {variable} are both set; keep one of them")
        found[name] = _secret_of(Path(path), variable)
    return found


def _secret_of(path: Path, variable: str) -> str:
    """Return a file's content without the line ends at its end."""
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_LONGEST_SECRET + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "the path is not valid"
        raise ValueError(f"{variable} names a file that cannot be read ({reason})") from None
    if len(content) > _LONGEST_SECRET:
        raise ValueError(
            f"{variable} names a file of more than {_LONGEST_SECRET} bytes, too many for a secret"
        )
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{variable} names a file that is not UTF-8") from None
    if not text:
        raise ValueError(f"{variable} names an empty file")
    return text


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        StartError: one line that names every wrong variable, and no value, which may be secret.
    """
    # None makes pydantic skip the file.
    files = {} if _may_read(_ENV_FILE) else {"_env_file": None}
    try:
        return Settings(**files)
    except ValidationError as error:
        problems = "; ".join(
            f"{_variable(e['loc'])}{e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise StartError(f"Wrong settings: {problems}.") from None
    except UnicodeDecodeError:
        raise StartError("Wrong settings: the file .env is not UTF-8.") from None
    except OSError as error:
        raise StartError(
            f"Wrong settings: the file .env cannot be read ({reason_of(error)})."
        ) from None


def _may_read(path: Path) -> bool:
    """Return whether a file can be read or does not exist; warn about one that cannot be read.

    Containers may start the service in another user's folder, whose `.env` is not for it.
    """
    try:
        with path.open("rb"):
            return True
    except FileNotFoundError:
        return True
    except OSError as error:
        reason = reason_of(error)
        sys.stderr.write(
            f"benchmark-manager: {path.absolute()} is ignored, as it cannot be read ({reason}).\n"
        )
        return False


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{str(location[0]).upper()}: " if location else ""
