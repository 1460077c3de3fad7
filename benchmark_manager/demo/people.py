"""The demo's people: an administrator, and three people whom grants give different roles."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmark_manager.models.access.principal import Role


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """An account of the demo.

    Attributes:
        role: site-wide for the administrator, else in the sample project.
        may: what the role allows, for the terminal.
    """

    name: str
    role: Role
    may: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """All accounts of the demo."""

    administrator: DemoPerson
    maintainer: DemoPerson
    editor: DemoPerson
    reader: DemoPerson

    @property
    def members(self) -> tuple[DemoPerson, ...]:
        """Those who have a role in the sample project only."""
        return self.maintainer, self.editor, self.reader


def new_people(password: Callable[[], str] = lambda: secrets.token_hex(8)) -> DemoPeople:
    """Return the people with fresh passwords."""
    return DemoPeople(
        administrator=DemoPerson(
            "ada",
            "admin",
            "everything: also accounts, tokens of all, the audit, new projects",
            password(),
        ),
        maintainer=DemoPerson(
            "mina",
            "maintainer",
            "also its settings, GitHub token and grants; and deletes it",
            password(),
        ),
        editor=DemoPerson(
            "evan",
            "editor",
            "also syncs it, makes variants, sweeps and releases, uploads results",
            password(),
        ),
        reader=DemoPerson(
            "rosa", "reader", "reads its files, variants, sweeps, releases and results", password()
        ),
    )
