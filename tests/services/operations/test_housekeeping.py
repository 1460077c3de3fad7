"""Housekeeping forgets a deleted project only after a sweep that began late enough."""

from datetime import datetime, timedelta

from benchmark_manager.factory import utc_now
from benchmark_manager.services.operations.housekeeping import Housekeeping, Retention, SweptStores
from benchmark_manager.stores.operations.sweeps import ContentSweeps
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.stores.webhooks.deliveries import WebhookDeliveryStore
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


def housekeeping(service: Service, slow: SlowStore) -> Housekeeping:
    database = service.services.database
    stores = SweptStores(
        projects=ProjectStore(database),
        of_projects=(slow,),
        syncs=SyncStore(database),
        releases=ReleaseStore(database),
        histories=FileHistoryStore(database),
        deliveries=WebhookDeliveryStore(database),
        contents=ContentSweeps(database),
    )
    retention = Retention(timedelta(days=1), 1)
    return Housekeeping(stores, service.services.trash, syncs=retention, clock=slow.now)


async def test_a_sweep_that_lasts_past_the_grace_period_does_not_forget_the_project(
    service: Service,
) -> None:
    service.repository("acme/deleted", {"config/a.yaml": b"a: 1\n"})
    project = await service.project("acme/deleted")
    await service.services.projects.delete(project["id"], None)
    projects = ProjectStore(service.services.database)

    begun_early = SlowStore(utc_now() + timedelta(seconds=110), seconds=20)
    await housekeeping(service, begun_early).sweep_deleted_projects()
    assert await projects.deleted() == [project["id"]]

    begun_late = SlowStore(utc_now() + timedelta(seconds=130), seconds=20)
    await housekeeping(service, begun_late).sweep_deleted_projects()
    assert await projects.deleted() == []
