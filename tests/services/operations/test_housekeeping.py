"""Housekeeping forgets a deleted project only after a sweep that began late enough."""

from datetime import datetime, timedelta

from benchmark_manager.factory import utc_now
from benchmark_manager.services.operations.housekeeping import (
    EndedCredentials,
    Housekeeping,
    Retention,
    SweptStores,
)
from benchmark_manager.services.sweeps.removal import SweepRemoval
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.access.setup_links import SetupLinkStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.access.used_codes import UsedCodeStore
from benchmark_manager.stores.operations.sweeps import ContentSweeps
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.stores.webhooks.deliveries import WebhookDeliveryStore
from support.access import a_grant, an_account
from support.principals import open_principal
from support.service import Service


class SlowStore:
    """Takes a while to delete what belongs to a project."""

    def __init__(self, now: datetime, seconds: float) -> None:
        self._now = now
        self._seconds = seconds

    def now(self) -> datetime:
        return self._now

    async def delete_of_project(self, project_id: str) -> None:
        del project_id
        self._now += timedelta(seconds=self._seconds)


class NoResults:
    """Has nothing to remove."""

    async def run(self, _: datetime) -> int:
        return 0


def housekeeping(service: Service, slow: SlowStore) -> Housekeeping:
    database = service.services.database
    stores = SweptStores(
        projects=ProjectStore(database),
        of_projects=(slow,),
        syncs=SyncStore(database),
        releases=ReleaseStore(database),
        deleted_sweeps=SweepRemoval(database, SweepStore(database), ReleaseStore(database)),
        results=NoResults(),
        histories=FileHistoryStore(database),
        deliveries=WebhookDeliveryStore(database),
        contents=ContentSweeps(database),
        credentials=EndedCredentials(
            sessions=SessionStore(database),
            tokens=ApiTokenStore(database),
            attempts=SignInAttemptStore(database),
            setup_links=SetupLinkStore(database),
            used_codes=UsedCodeStore(database),
            idle=timedelta(hours=12),
        ),
    )
    return Housekeeping(
        stores,
        service.services.trash,
        service.services.access.audit,
        syncs=Retention(timedelta(days=1), 1),
        clock=slow.now,
    )


async def test_a_sweep_that_lasts_past_the_grace_period_does_not_forget_the_project(
    service: Service,
) -> None:
    service.repository("acme/deleted", {"config/a.yaml": b"a: 1\n"})
    project = await service.project("acme/deleted")
    await service.services.projects.delete(open_principal("jo"), project["id"], None)
    projects = ProjectStore(service.services.database)

    begun_early = SlowStore(utc_now() + timedelta(seconds=110), seconds=20)
    await housekeeping(service, begun_early).sweep_deleted_projects()
    assert await projects.deleted() == [project["id"]]

    begun_late = SlowStore(utc_now() + timedelta(seconds=130), seconds=20)
    await housekeeping(service, begun_late).sweep_deleted_projects()
    assert await projects.deleted() == []


async def test_the_grants_of_a_deleted_project_are_swept(service: Service) -> None:
    service.repository("acme/deleted", {"config/a.yaml": b"a: 1\n"})
    project, account = await service.project("acme/deleted"), an_account()
    grants = GrantStore(service.services.database)
    await grants.put(a_grant(project["id"], account))
    await service.services.projects.delete(open_principal("jo"), project["id"], None)
    await service.services.housekeeping.sweep_deleted_projects()
    assert await grants.of_account(account.id) == []
