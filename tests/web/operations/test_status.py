"""The status page, and the section about webhooks in the settings."""

from pathlib import Path

from github_test_server import GitHubTestServer
from support.browser import Browser
from support.service import Service, running_service
from support.site import check


async def test_the_status_page_shows_the_status_of_the_api(
    service: Service, browser: Browser
) -> None:
    service.github.hosting.add_token("secret-token")
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    await service.synced("acme/bench", github_token="secret-token")
    await service.project("acme/nowhere")
    page = await browser.open("/ui/status")
    check(page)
    status = await service.get("/status")
    [limit] = [row for row in status["github"] if row["kind"] == "token"]
    assert status["database"]["version"] in page.text
    assert "In sync 1" in page.text
    assert "Not synced yet 1" in page.text
    assert limit["credential"] in page.text
    assert f"{limit['remaining']:,} of {limit['limit']:,}" in page.text
    assert "secret-token" not in page.html
    assert "WEBHOOK_SECRET is not set" in page.text


async def test_settings_show_the_address_for_webhooks(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url, github, tmp_path, webhook_secret="hush, hush, hush"
    ) as service:
        browser = Browser(service.http)
        service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
        project = await service.synced("acme/bench")
        paths = ("/ui/status", f"/ui/projects/{project['id']}/settings")
        pages = [await browser.open(path) for path in paths]
    for page in pages:
        check(page)
    assert ["http://service/webhooks/github" in page.text for page in pages] == [True, True]
    assert ["hush" in page.html for page in pages] == [False, False]
