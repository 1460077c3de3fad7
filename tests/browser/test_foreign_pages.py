"""A hostile page in a browser with the service's cookies reads and changes nothing.

The page is on another site, or on another port of the service's own host, which browsers treat
as the same site.
"""

import json
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import pytest
from playwright.async_api import BrowserContext

from support.chromium import MISLED
from support.process import ServiceProcess
from support.service import Api, Json
from support.visitors import Contexts, cleared

#: A text in every response that a foreign page must not read.
MARK: Final = "the-mark-of-what-is-secret"
#: A name of the loopback interface for the browser alone.
EVIL: Final = MISLED

#: Everything that a page can try with these paths and changes. Returns what it could read: answers
#: with the mark, scripts, images and connections. The first change is sent as each type of content,
#: the others as their own: each form in a frame costs an error page of the browser.
ATTACK: Final = """
async ([target, mark, paths, changes]) => {
  const read = [], wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const note = (how, text) => { if (text && String(text).includes(mark)) read.push(how); };
  const answers = [];
  for (const path of paths)
    for (const credentials of ["include", "omit"])
      for (const mode of ["cors", "no-cors"])
        answers.push(fetch(target + path, {mode, credentials}).then((a) => a.text()).then(
          (t) => note("fetch " + path, t), () => 0));
  await Promise.all(answers);

  const kinds = ["application/json", "text/plain", "application/x-www-form-urlencoded", ""];
  const types = (change, all) => change === changes[0] ? all : [change[3] ?? ""];
  for (const change of changes)
    for (const kind of types(change, kinds)) {
      const [method, path, sent] = change;
      const content = sent === undefined ? undefined : new Blob([sent], {type: kind});
      for (const mode of method === "POST" ? ["cors", "no-cors"] : ["cors"]) {
        const request = {method, mode, credentials: "include", body: content};
        answers.push(fetch(target + path, request).then(
          (a) => a.text()).then((t) => note(method + path, t), () => 0));
      }
      if (method === "POST") navigator.sendBeacon(target + path, content);
    }

  await Promise.all(answers);

  const frames = [];
  const forms = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
  for (const change of changes.filter(([method]) => method === "POST"))
    for (const kind of types(change, forms)) {
      const [, path, sent] = change;
      const frame = document.body.appendChild(document.createElement("iframe"));
      frame.name = `f${frames.length}`;
      const form = document.body.appendChild(document.createElement("form"));
      Object.assign(
        form, {method: "post", action: target + path, target: frame.name, enctype: kind});
      if (sent !== undefined) {
        // As text/plain this becomes JSON.
        const field = form.appendChild(document.createElement("input"));
        Object.assign(field, {name: sent.slice(0, -1) + ', "x": "', value: '"}'});
      }
      frames.push(new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 1500); }));
      form.submit();
    }
  await Promise.all(frames);
  for (const frame of document.querySelectorAll("iframe"))
    try { note("frame", frame.contentDocument.body.textContent); } catch {}

  window.addEventListener("error", (event) => note("script error", event.message));
  await Promise.all(paths.map(async (path) => {
    const script = document.createElement("script"), image = new Image();
    const sheet = document.createElement("link");
    const frame = document.createElement("iframe");
    const ended = [script, image, sheet, frame].map((e) => new Promise((resolve) => {
      e.onload = e.onerror = resolve; setTimeout(resolve, 1500); }));
    script.src = image.src = frame.src = sheet.href = target + path;
    sheet.rel = "stylesheet";
    document.body.append(script, sheet, frame);
    script.addEventListener("load", () => read.push("script ran " + path));
    image.addEventListener("load", () => read.push("image " + path));
    await Promise.all(ended);
    try { note("frame " + path, frame.contentDocument.body.textContent); } catch {}
    try {
      note("sheet " + path, sheet.sheet && [...sheet.sheet.cssRules].map((r) => r.cssText).join());
    } catch {}
  }));

  const opened = window.open(target + "/projects");
  await wait(500);
  try { note("window", opened.document.body.innerText); } catch {}
  if (opened) opened.close();

  await new Promise((resolve) => {
    const source = new EventSource(target + "/events", {withCredentials: true});
    source.onopen = source.onmessage = () => { read.push("events"); resolve(); };
    source.onerror = resolve; setTimeout(resolve, 2000);
  });
  for (const path of ["/events", "/projects", "/ui"])
    await new Promise((resolve) => {
      const socket = new WebSocket(target.replace("http", "ws") + path);
      socket.onopen = () => { read.push("socket " + path); resolve(); };
      socket.onerror = socket.onclose = resolve; setTimeout(resolve, 2000);
    });
  return read;
}
"""


#: Makes a project; the attack sends it in each form that a page can.
ADD: Final = (
    "POST",
    "/projects",
    json.dumps(
        {"name": "made by a stranger", "github_repo_url": "acme/evil", "polling_interval": 0}
    ),
)


def paths_of(project: Json, variant: Json) -> list[str]:
    """Return the paths that the hostile page reads."""
    home = f"/projects/{project['id']}"
    return ["/projects", home, f"/modified-files/{variant['id']}/raw", "/ui"]


def changes_of(project: Json, variant: Json) -> list[tuple[str, ...]]:
    """Return the methods, paths, bodies and their types of what the hostile page sends."""
    home, file = f"/projects/{project['id']}", f"/modified-files/{variant['id']}"
    return [
        ADD,
        *[("POST", path) for path in ("/projects/sync-all", f"{home}/sync", f"{home}/pause")],
        ("PUT", home, '{"name": "taken over"}', "application/json"),
        *[("DELETE", path) for path in (home, f"{home}/modified-files", file)],
        ("PUT", file, '{"content": "a: 2\\n"}', "application/json"),
        ("POST", f"{home}/releases", "{}"),
        ("POST", "/ui/sync-all", "csrf_token=x", "application/x-www-form-urlencoded"),
    ]


class HostilePage(BaseHTTPRequestHandler):
    """The hostile site: an empty page at every address."""

    def do_GET(self) -> None:
        content = b"<!doctype html><title>Win a prize</title><body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    # The base class names it so.
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def hostile_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HostilePage)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def victim(contexts: Contexts, running: ServiceProcess) -> AsyncIterator[BrowserContext]:
    """A browser with the service's cookies."""
    kind = (running.url, "en", True)
    context = await contexts.take(*kind)
    [page] = context.pages
    await page.goto(f"{running.url}/ui")
    assert await context.cookies(running.url)
    yield context
    await cleared(context, running.url)
    contexts.put_back(context, *kind)


@pytest.fixture
async def held(api: Api) -> AsyncIterator[tuple[Json, Json]]:
    """A project and a variant, both marked; what a test adds is deleted after it."""
    known = {row["id"] for row in await api.rows("/projects")}
    name = f"acme/{secrets.token_hex(6)}"
    api.repository(name, {"config/a.yaml": f"a: {MARK}\n".encode()})
    project = await api.synced(name, name=MARK)
    [file] = (await api.files(project["id"])).values()
    variant = await api.variant(project["id"], file, modified_name="mine.yaml", description=MARK)
    yield project, variant
    added = [row["id"] for row in await api.rows("/projects") if row["id"] not in known]
    answers = [await api.http.delete(f"/projects/{project_id}") for project_id in added]
    assert [answer for answer in answers if answer.status_code != 204] == []


async def everything(api: Api, project: Json) -> list[object]:
    """Return all projects of the service, and what is in the one that the attack knows."""
    of_project = f"/projects/{project['id']}"
    return [
        await api.rows("/projects"),
        *[await api.rows(f"{of_project}/{each}") for each in ("files", "syncs")],
        *[await api.rows(f"{of_project}/{each}") for each in ("modified-files", "releases")],
    ]


@pytest.mark.parametrize("site", [EVIL, "localhost"])
async def test_a_hostile_page_reads_nothing_and_changes_nothing(
    victim: BrowserContext,
    running: ServiceProcess,
    api: Api,
    held: tuple[Json, Json],
    hostile_port: int,
    site: str,
) -> None:
    project, variant = held
    target = running.url.replace("127.0.0.1", "localhost") if site == "localhost" else running.url
    before = await everything(api, project)
    page = await victim.new_page()
    await page.goto(f"http://{site}:{hostile_port}/")
    read = await page.evaluate(
        ATTACK, [target, MARK, paths_of(project, variant), changes_of(project, variant)]
    )
    assert read == []
    assert await everything(api, project) == before
    # A form in the page itself, sent by a click.
    address = f"{target}/projects/{project['id']}/pause"
    await page.set_content(f'<form method="post" action="{address}"><button>Win</button></form>')
    async with page.expect_response(address) as answer:
        await page.click("button")
    assert (await answer.value).status == 403
    assert await everything(api, project) == before


async def test_a_name_that_resolves_to_the_service_is_not_answered(
    victim: BrowserContext, running: ServiceProcess, api: Api, held: tuple[Json, Json]
) -> None:
    """DNS rebinding: the page's own name leads to the service, so both seem to be one origin."""
    project, _ = held
    before = await everything(api, project)
    own = running.url.replace("127.0.0.1", EVIL)
    page = await victim.new_page()
    seen = []
    for path in ("/projects", "/ui", f"/projects/{project['id']}", "/docs"):
        answer = await page.goto(f"{own}{path}")
        seen.append((answer and answer.status, MARK in await page.content()))
    assert seen == [(421, False)] * 4
    requests = [
        ["GET", "/projects"],
        ["DELETE", f"/projects/{project['id']}"],
        ["POST", "/projects/sync-all"],
    ]
    statuses = await page.evaluate(
        "(requests) => Promise.all(requests.map("
        "([method, path]) => fetch(path, {method}).then((answer) => answer.status)))",
        requests,
    )
    assert statuses == [421] * 3
    assert await everything(api, project) == before


async def test_the_attack_finds_what_it_may_read(
    victim: BrowserContext, running: ServiceProcess, api: Api, held: tuple[Json, Json]
) -> None:
    """The same page on the service's own origin reads and changes, so the attack can succeed."""
    project, _ = held
    before = await everything(api, project)
    page = await victim.new_page()
    await page.goto(f"{running.url}/projects")
    read = await page.evaluate(ATTACK, [running.url, MARK, ["/projects"], [ADD]])
    assert {"fetch /projects", "events"} <= set(read)
    assert await everything(api, project) != before
    assert "made by a stranger" in {row["name"] for row in await api.rows("/projects")}
