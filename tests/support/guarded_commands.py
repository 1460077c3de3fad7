"""Commands against a service that serves only those it knows."""

from collections.abc import Mapping
from dataclasses import dataclass

from support.commands import Done, ServiceCommands
from support.guarded import GuardedService, SignedInPerson


@dataclass(frozen=True)
class GuardedCommands:
    """Commands, the service that they use, and its administrator."""

    commands: ServiceCommands
    service: GuardedService

    @property
    def url(self) -> str:
        return self.commands.url

    @property
    def admin(self) -> SignedInPerson:
        return self.service.admin

    async def run(
        self,
        *arguments: str,
        code: int = 0,
        token: str | None = None,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        """Run a command in this process, with a token where one is given."""
        given = {} if token is None else {"BENCHMARK_MANAGER_TOKEN": token}
        # Nobody but tokens that may act for others names a person.
        settings = {"BENCHMARK_MANAGER_ACTOR": "", **given, **(environment or {})}
        return await self.commands(*arguments, code=code, stdin=stdin, environment=settings)
