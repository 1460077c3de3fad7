"""First uses of a day by signed tokens and by a proxy, as one replica records them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from benchmark_manager.errors import StorageError
from benchmark_manager.models.access.credentials import ApiToken
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.services.access.identities import Uses
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.database.database import Database
from support.access import NOW
from support.principals import account
from support.reused_database import lent_database


@dataclass
class Recorded:
    """Stands in for the audit, which the database may refuse."""

    names: list[str] = field(default_factory=list)
    is_full: bool = False

    async def first_use(self, token: ApiToken, principal: Principal) -> None:
        """Do nothing: here are no API tokens."""

    async def first_of_day(self, principal: Principal) -> None:
        if self.is_full:
            raise StorageError("disk_full")
        self.names.append(principal.name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with lent_database(database_url) as database:
        yield database


async def used(uses: Uses, *names: str, days: int = 0) -> None:
    for name in names:
        uses.other(account(name).model_copy(update={"via": "proxy"}), NOW + timedelta(days=days))
        await uses.finish()


async def test_the_first_use_of_a_day_is_recorded_once(database: Database) -> None:
    recorded = Recorded()
    uses = Uses(SessionStore(database), ApiTokenStore(database), recorded)
    await used(uses, "kim", "lee", "kim")
    await used(uses, "kim", days=1)
    assert recorded.names == ["kim", "lee", "kim"]


async def test_what_could_not_be_recorded_is_tried_again(database: Database) -> None:
    recorded = Recorded(is_full=True)
    uses = Uses(SessionStore(database), ApiTokenStore(database), recorded)
    await used(uses, "kim")
    recorded.is_full = False
    await used(uses, "kim", "kim")
    assert recorded.names == ["kim"]
