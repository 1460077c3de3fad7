"""The timeline of syncs: its filters, and drift over time."""

from datetime import UTC, datetime

from benchmark_manager.models.sync import DriftMoment
from benchmark_manager.web.sync import chart
from github_test_server import Status
from support.browser import Browser, WebPage
from support.service import Service
from support.site import check

BASE, MINE, THEIRS = "a: 1\nb: 2\n", "a: 1\nb: 3\n", "a: 1\nb: 4\n"


def outcomes(page: WebPage) -> list[str]:
    """Return the number of listed syncs."""
    return [link for link in page.links() if "/syncs/" in link]


async def test_syncs_filter_by_outcome_and_trigger(service: Service, browser: Browser) -> None:
    service.repository("acme/bench", {"config/a.yaml": BASE.encode()})
    project = await service.synced("acme/bench")
    await service.sync(project["id"])
    fault = service.github.faults.add(Status(500), times=None)
    await service.sync(project["id"], 502)
    service.github.faults.remove(fault)
    home = f"/ui/projects/{project['id']}/syncs"
    found = {
        "": 3,
        "?status=failed": 1,
        "?status=success&trigger=manual": 1,
        "?trigger=poll": 0,
        "?status=all": 3,
    }
    pages = {query: await browser.open(home + query) for query in found}
    for page in pages.values():
        check(page)
    assert {query: len(outcomes(page)) for query, page in pages.items()} == found
    assert "No matching syncs" in (await browser.open(f"{home}?trigger=webhook")).text


async def test_each_sync_with_changes_shows_the_drift_after_it(
    service: Service, browser: Browser
) -> None:
    repository = service.repository(
        "acme/bench", {"config/a.yaml": BASE.encode(), "config/b.yaml": b"x: 1\n"}
    )
    project = await service.synced("acme/bench")
    files = await service.files(project["id"])
    variant = await service.variant(
        project["id"], files["config/a.yaml"], modified_name="v.yaml", content=MINE
    )
    await service.variant(project["id"], files["config/b.yaml"], modified_name="w.yaml")
    repository.commit({"config/a.yaml": THEIRS.encode()}, message="moved")
    moved = await service.sync(project["id"])
    none = {"current": 0, "behind": 0, "conflict": 0, "upstream_removed": 0}
    assert moved["modified_files_by_drift"] == {**none, "current": 1, "conflict": 1}
    assert (await service.sync(project["id"]))["modified_files_by_drift"] is None
    resolution = [{"path": "b", "take": "mine"}]
    await service.post(f"/modified-files/{variant['id']}/rebase", {"resolutions": resolution}, 200)
    repository.commit({"config/b.yaml": None}, message="gone")
    gone = await service.sync(project["id"])
    assert gone["modified_files_by_drift"] == {**none, "current": 1, "upstream_removed": 1}
    page = await browser.open(f"/ui/projects/{project['id']}/syncs")
    check(page)
    bars = [bar["class"] for bar in page.all("rect") if bar["class"] in none]
    # The first sync had no variants yet; the last column is now.
    assert bars == [
        "current",
        "conflict",
        "current",
        "upstream_removed",
        "current",
        "upstream_removed",
    ]


async def test_on_the_embedded_database_too(embedded_service: Service) -> None:
    repository = embedded_service.repository("acme/bench", {"config/a.yaml": BASE.encode()})
    project = await embedded_service.synced("acme/bench")
    [file] = (await embedded_service.files(project["id"])).values()
    await embedded_service.variant(project["id"], file, content=MINE)
    repository.commit({"config/a.yaml": THEIRS.encode()}, message="moved")
    assert (await embedded_service.sync(project["id"]))["modified_files_by_drift"]["conflict"] == 1
    page = await Browser(embedded_service.http).open(f"/ui/projects/{project['id']}/syncs")
    assert [bar["class"] for bar in page.all("rect")].count("conflict") == 2


def test_columns_stand_on_the_ground_and_none_is_lost() -> None:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    history = [
        DriftMoment(
            when=when, counts={"current": 1000, "behind": 1, "conflict": 0, "upstream_removed": 0}
        )
    ]
    drawn = chart.drifts(
        history, {"current": 500, "behind": 0, "conflict": 500, "upstream_removed": 0}
    )
    assert drawn.most == 1001
    assert [(bar.kind, bar.value, bar.when) for bar in drawn.bars] == [
        ("current", 1000, when),
        ("behind", 1, when),
        ("current", 500, None),
        ("conflict", 500, None),
    ]
    assert min(bar.height for bar in drawn.bars) >= 1, "nothing is too little to be seen"
    assert max(bar.y + bar.height for bar in drawn.bars) <= drawn.height
    assert chart.drifts([], {}).bars == ()
