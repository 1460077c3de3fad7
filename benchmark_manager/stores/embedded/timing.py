"""How long the embedded database is waited for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds: how long the supervision waits, and for what."""

    tick: float = 0.25  # between two checks that the process is there
    probe_every: float = 2.0  # a transaction over 10,000 files delays a read by some 10 ms
    hung_after: float = 8.0  # without an answer and without work
    silent_at_most: float = (
        120.0  # without an answer, however hard it works; doubles with each replacement
    )
    former_server: float = 10.0  # what an earlier run's server gets to end by itself
    start: float = 60.0  # without work; after a crash the server first replays its log
    start_at_most: float = 600.0  # however hard it works
    retry_at_most: float = 30.0  # between attempts to start it again
    grace: float = 5.0  # for an orderly end, which takes the server 2 s; then SIGKILL
