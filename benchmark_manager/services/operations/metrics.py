"""Metrics for Prometheus, named as https://prometheus.io/docs/practices/naming/ asks."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from benchmark_manager.github.sending.requests import RequestRecord
from benchmark_manager.models.governor import GovernorStatus
from benchmark_manager.models.project import Claim, Totals
from benchmark_manager.models.sync import Sync
from benchmark_manager.workers.pool import WorkerPool

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_PREFIX: Final = "benchmark_manager"
#: Seconds.
_SYNC_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_LATENESS_BUCKETS: Final = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 900, 3600)
_STALL_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_REQUEST_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class Metrics:
    """This process's counters, and gauges that are set at each request for them.

    Credentials are labels by their fingerprints, never by tokens.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._add_syncs()
        self._add_github()
        self._add_service()

    def _add_syncs(self) -> None:
        self._syncs = self._counter("syncs", "Finished syncs.", "outcome", "trigger")
        self._changes = self._counter(
            "file_changes", "Original files that syncs changed.", "change"
        )
        self._durations = self._histogram(
            "sync_duration_seconds",
            "From the claim of a project to its record.",
            _SYNC_BUCKETS,
            "outcome",
        )
        self._lateness = self._histogram(
            "poll_lateness_seconds", "How late a due project's sync began.", _LATENESS_BUCKETS
        )
        self._takeovers = self._counter(
            "lease_takeovers", "Projects taken over from a worker that died."
        )

    def _add_github(self) -> None:
        self._requests = self._counter(
            "github_requests",
            "Requests sent to GitHub.",
            "credential",
            "kind",
            "resource",
            "status",
        )
        self._points = self._counter(
            "github_points", "Points of GitHub's primary limits.", "credential", "kind", "resource"
        )
        self._request_durations = self._histogram(
            "github_request_duration_seconds",
            "From sending a request to its last byte.",
            _REQUEST_BUCKETS,
            "kind",
        )

    def _add_service(self) -> None:
        self._gauges = _Gauges(self._registry)
        self._stalls = self._histogram(
            "event_loop_stall_seconds",
            "How late the event loop was, measured 20 times a second.",
            _STALL_BUCKETS,
        )
        self._longest_stall = _gauge(
            self._registry,
            "event_loop_longest_stall_seconds",
            "The longest stall of the event loop since the start.",
        )
        self._longest = 0.0

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=_PREFIX, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            name, text, labels, namespace=_PREFIX, buckets=buckets, registry=self._registry
        )

    def watch(self, workers: WorkerPool) -> None:
        """Show the figures of this pool of worker processes from now on."""
        self._registry.register(_WorkerFigures(workers))

    def stalled(self, seconds: float) -> None:
        """Count one measurement of the event loop: how late it was."""
        self._stalls.observe(seconds)
        if seconds > self._longest:
            self._longest = seconds
            self._longest_stall.set(seconds)

    def requested(self, record: RequestRecord) -> None:
        """Count a request to GitHub."""
        credential = record.credential.fingerprint
        status = "none" if record.status is None else str(record.status)
        self._requests.labels(credential, record.kind, record.resource, status).inc()
        self._points.labels(credential, record.kind, record.resource).inc(record.points)
        self._request_durations.labels(record.kind).observe(record.seconds)

    def claimed(self, claim: Claim, *, asked_for: bool) -> None:
        """Count a project that was claimed because it was due, or because a person asked."""
        if claim.taken_over:
            self._takeovers.inc()
        if not asked_for and claim.lateness is not None and claim.lateness >= 0:
            self._lateness.observe(claim.lateness)

    def finished(self, sync: Sync) -> None:
        self._syncs.labels(sync.status, sync.trigger).inc()
        self._durations.labels(sync.status).observe(sync.duration_ms / 1000)
        for change in ("added", "updated", "removed", "renamed"):
            self._changes.labels(change).inc(getattr(sync, change))

    def text(self, totals: Totals, governors: list[GovernorStatus]) -> bytes:
        """Everything in Prometheus' text format, with the gauges as they are now."""
        self._gauges.set(totals, governors)
        return generate_latest(self._registry)


def gauges_text(totals: Totals, governors: list[GovernorStatus]) -> bytes:
    """Return the gauges alone, for a reader of some projects: counters are of all of them."""
    registry = CollectorRegistry()
    _Gauges(registry).set(totals, governors)
    return generate_latest(registry)


class _Gauges:
    """What is set at each request for it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        credential = "credential", "resource"
        self._limit = _gauge(registry, "github_rate_limit", "Points an hour.", *credential)
        self._remaining = _gauge(
            registry, "github_rate_limit_remaining", "Points left.", *credential
        )
        self._minute = _gauge(
            registry,
            "github_points_last_minute",
            "Of all replicas, as far as they reported.",
            *credential,
        )
        self._projects = _gauge(
            registry, "projects", "Projects by the status of their sync.", "status"
        )
        self._due = _gauge(registry, "projects_due", "Projects which are due now.")
        self._files = _gauge(registry, "files", "Files in place.", "kind")

    def set(self, totals: Totals, governors: list[GovernorStatus]) -> None:
        for status, count in totals.projects_by_sync_status.items():
            self._projects.labels(status).set(count)
        self._due.set(totals.projects_due)
        self._files.labels("original").set(totals.original_files)
        self._files.labels("modified").set(totals.modified_files)
        for governor in governors:
            for resource, points in governor.points_last_minute.items():
                self._minute.labels(governor.fingerprint, resource).set(points)
            for resource, known in governor.limits.items():
                self._limit.labels(governor.fingerprint, resource).set(known.limit)
                self._remaining.labels(governor.fingerprint, resource).set(known.remaining)


def _gauge(registry: CollectorRegistry, name: str, text: str, *labels: str) -> Gauge:
    return Gauge(name, text, labels, namespace=_PREFIX, registry=registry)


class _WorkerFigures(Collector):
    """The figures of a pool, read at each request for them."""

    def __init__(self, workers: WorkerPool) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        figures = self._workers.figures
        tasks = CounterMetricFamily(
            f"{_PREFIX}_text_tasks",
            "Texts that worker processes read, by outcome.",
            labels=["outcome"],
        )
        for outcome in ("answered", "too_complex", "refused"):
            tasks.add_metric([outcome], getattr(figures, outcome))
        yield tasks
        yield CounterMetricFamily(
            f"{_PREFIX}_worker_processes_replaced",
            "Worker processes that were ended.",
            value=figures.replaced,
        )
        yield GaugeMetricFamily(
            f"{_PREFIX}_text_tasks_waiting", "Texts waiting for a process.", value=figures.waiting
        )
