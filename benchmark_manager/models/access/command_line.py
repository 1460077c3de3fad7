"""What a command line asks for in a browser, and the code that the browser delivers."""

from datetime import datetime

from pydantic import Field

from benchmark_manager.models.access.principal import Role
from benchmark_manager.models.record import Record


class WantedToken(Record):
    """The token that a command line wants, as its person confirms it."""

    name: str
    #: What it allows at most.
    role: Role
    #: None: all.
    project_ids: frozenset[str] | None
    #: Days until it expires.
    days: int
    #: The SHA-256 of the verifier that the command line keeps.
    challenge: str


class ConfirmedToken(Record):
    """What the code holds, encrypted: who confirmed what, and the id that the token will have."""

    wanted: WantedToken
    account_id: str
    token_id: str = Field(repr=False)
    #: The session in which it was confirmed; None where a proxy names people.
    session_id: str | None = None
    confirmed_at: datetime
