"""Signing in at an identity provider: an attempt, and the person whom it proved."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from benchmark_manager.models.record import Record


class SignInAttempt(Record):
    """What a browser needs to finish a sign-in; it keeps it in an encrypted cookie."""

    provider: Literal["oidc", "github"]
    state: str = Field(repr=False)
    nonce: str = Field(repr=False)
    verifier: str = Field(repr=False)
    #: Where the browser goes afterwards: a path of this service.
    next: str
    began_at: datetime


class ProvedPerson(Record):
    """A person as an identity provider names them; (`issuer`, `subject`) never changes."""

    kind: Literal["oidc", "github", "proxy"]
    issuer: str
    subject: str
    name: str
    groups: tuple[str, ...] = ()
