"""The settings of access: who is served, and how people prove who they are."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from benchmark_manager.domain.access.issuers import check_issuer
from benchmark_manager.errors import InvalidInputError

CommaSeparated = Annotated[tuple[str, ...], NoDecode]

_DAY: Final = 24 * 3600


class AccessSettings(BaseSettings):
    """Each setting is an environment variable of the same name in capitals."""

    auth: Literal["open", "required", "proxy"] = Field(
        default="open",
        description="open: every request is served, and anyone who reaches the port may change "
        "everything. required: every request needs an identity. proxy: a reverse proxy in "
        "TRUSTED_PROXIES names people.",
    )
    default_role: Literal["none", "reader", "editor"] = Field(
        default="reader", description="Site-wide role of accounts that a first sign-in makes."
    )
    proxy_user_header: str = Field(
        default="X-Forwarded-User", description="With AUTH=proxy: the header with the person."
    )
    proxy_groups_header: str = Field(
        default="X-Forwarded-Groups",
        description="With AUTH=proxy: the header with the person's groups, comma-separated.",
    )
    oidc_issuer: str | None = Field(
        default=None, description="Issuer of an OpenID Connect provider that people sign in with."
    )
    oidc_client_id: str | None = Field(default=None, description="The client's id there.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The client's secret there."
    )
    oidc_client_secret_file: Path | None = Field(
        default=None, description="A file with the client's secret."
    )
    oidc_scopes: str = Field(
        default="openid profile email groups", description="Scopes that are asked for."
    )
    oidc_groups_claim: str = Field(
        default="groups", description="The claim that lists a person's groups."
    )
    oidc_name: str = Field(
        default="OpenID Connect", description="What the button of the sign-in page says."
    )
    github_oauth_client_id: str | None = Field(
        default=None,
        description="Client id of an OAuth or GitHub App with which people sign in, on the host "
        "of the first of GITHUB_API_URLS.",
    )
    github_oauth_client_secret: SecretStr | None = Field(
        default=None, description="The client secret of that App."
    )
    github_oauth_client_secret_file: Path | None = Field(
        default=None, description="A file with that client secret."
    )
    session_idle_seconds: int = Field(
        default=12 * 3600,
        ge=60,
        le=90 * _DAY,
        description="Seconds after which an unused session ends.",
    )
    session_max_seconds: int = Field(
        default=7 * _DAY,
        ge=60,
        le=366 * _DAY,
        description="Seconds after which every session ends.",
    )
    audit_retention_days: int = Field(
        default=400, ge=0, le=36_500, description="Days that audit records are kept; 0: for ever."
    )
    rate_limit: int = Field(
        default=1200,
        ge=1,
        le=1_000_000,
        description="Requests a minute for each identity, and for each address without one; beyond "
        "them 429. With AUTH=open only if it is set.",
    )
    metrics_open: bool = Field(
        default=False,
        description="on: GET /metrics needs no identity, whatever AUTH says.",
    )

    @field_validator("auth", "default_role", mode="before")
    @classmethod
    def _ignore_case_of_words(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return check_issuer(value)
        except InvalidInputError:
            # Without the address, which may contain a password.
            raise ValueError(
                "must be an https:// address without a user name and a query; http:// only on this "
                "machine"
            ) from None

    @model_validator(mode="after")
    def _check_clients(self) -> Self:
        if self.oidc_issuer is not None and self.oidc_client_id is None:
            raise ValueError("OIDC_ISSUER needs OIDC_CLIENT_ID")
        if (self.github_oauth_client_id is None) != (self.github_oauth_client_secret is None):
            raise ValueError(
                "GITHUB_OAUTH_CLIENT_ID and GITHUB_OAUTH_CLIENT_SECRET belong together"
            )
        return self
