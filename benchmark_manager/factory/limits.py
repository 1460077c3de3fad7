"""The limits of the service that are no settings."""

from dataclasses import dataclass, field

from benchmark_manager.services.events.events import EventLimits
from benchmark_manager.services.releases.delivery import COMPARED_BYTES
from benchmark_manager.services.sync.coordinator import LEASE_RENEWAL
from benchmark_manager.services.sync.reading.archive_reader import ArchiveSizes
from benchmark_manager.stores.releases.releases import FILES_AT_ONCE
from benchmark_manager.stores.sync.staged_changes import StepSizes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """What suits every deployment; tests give less, so that a few files are many."""

    events: EventLimits = field(default_factory=EventLimits)
    steps: StepSizes = field(default_factory=StepSizes)
    #: Of a first sync with a token.
    archives: ArchiveSizes = field(default_factory=ArchiveSizes)
    #: A release with more files is written in steps.
    release_files: int = FILES_AT_ONCE
    #: Contents in which a comparison of releases searches changes by key, bytes.
    compared_bytes: int = COMPARED_BYTES
    #: How often a sync renews its lease, seconds.
    lease_renewal: float = LEASE_RENEWAL
    #: A body has this many seconds, and one more for each 32 KiB of it.
    body_seconds: float = 20.0
    #: GitHub waits 10 s for the answer to a webhook.
    webhook_seconds: float = 10.0
    #: Seconds for which a form of the pages rebases variants.
    rebase_seconds: float = 20.0
