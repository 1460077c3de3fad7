"""Requests by chance, of everybody: none fails, and none shows or changes what it may not.

How they are made and judged is in `support.fuzzed_requests` and `support.fuzz_rules`.
"""

import logging
import os
import time
from pathlib import Path
from typing import Final

import pytest

from github_test_server import GitHubTestServer
from support.fuzz_rules import FuzzFindings, fuzz
from support.guarded import guarded_service

#: Another seed sends other requests: FUZZ_SEED=7 make soak.
SEED: Final = os.environ.get("FUZZ_SEED", "1")


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Keep no log of all requests, which would take more memory than all else."""
    caplog.set_level(logging.ERROR)


async def findings_of(url: str, github: GitHubTestServer, folder: Path, total: int) -> FuzzFindings:
    """Send so many requests to a service on that database; print how they were answered."""
    began = time.monotonic()
    async with guarded_service(url, github, folder, rate_limit=1_000_000) as guarded:
        findings = await fuzz(guarded, url, total, SEED)
    print(f"\n{findings.total:,} requests in {time.monotonic() - began:.0f} s, seed {SEED}")
    print(f"{findings.twins:,} compared with ids of nothing, {findings.compared:,} refusals alone")
    print(findings.table())
    print("\n\n".join(findings.faults))
    assert findings.faults == []
    return findings


async def test_a_few_requests_by_chance_show_and_change_nothing_they_may_not(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    findings = await findings_of(database_url, github, tmp_path, 150)
    served = {
        name: sum(counts[status] for status in (200, 201, 204, 303))
        for name, counts in findings.counts.items()
    }
    assert all(served.values()), "every caller was served something"


@pytest.mark.soak
@pytest.mark.timeout(7200)
async def test_many_requests_by_chance_show_and_change_nothing_they_may_not(
    either_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    is_embedded = "directConnection" in either_url
    await findings_of(either_url, github, tmp_path, 5_000 if is_embedded else 50_000)
