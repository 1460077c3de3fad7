"""A service with something on every page, and what holds for all of them."""

import json
import re
from dataclasses import dataclass
from typing import Generic

from fastapi.routing import APIRoute
from typing_extensions import TypeVar

from support.browser import Browser, WebPage
from support.measured_pages import plain, upload
from support.service import Api, Json, Service

S = TypeVar("S", bound=Api, default=Service)

PASSWORD = "a phrase that nobody guesses"
#: What a command line that asks for a token adds to the address of its page.
COMMAND_LINE = f"port=4711&name=laptop&state={'s' * 43}&challenge={'c' * 43}"
#: The start page, those of one's own account and of signing in, and the form for a new project.
GENERAL_PAGES = (
    *("/ui", "/ui?q=nothing-has-this", "/ui?standing=failing", "/ui/help", "/ui/status"),
    *("/ui/you", "/ui/you/sessions", "/ui/you/tokens", "/ui/you/tokens/new"),
    *(f"/ui/command-line?{COMMAND_LINE}", "/ui/command-line/done"),
    *("/ui/sign-in", "/ui/sign-in?next=/ui/status", "/ui/set-up?token=x"),
    f"/ui/command-line?port=4711&state={'s' * 43}&challenge={'c' * 43}&name=lab",
    "/ui/command-line/done",
    *("/ui/projects/new", "/ui/projects/new?repository=a/b"),
)
HOSTILE_NAME = '<script>alert("name")</script>'
HOSTILE = {
    "config/a.yaml": b"model: llama\n",
    "config/broken.yaml": b"a: [1\nb: </pre><script>alert(1)</script>\n",
    "config/closing.yaml": b"a: '</textarea><script>alert(2)</script>'\nb: \"</noscript><!--\"\n",
    "config/rtl \xe2\x80\xaename.yaml".encode("latin-1").decode(): "a: \u202eevil\u202c\n".encode(),
    "config/emoji.yaml": "a: 🎉 한국어 é\u0301\n".encode(),
    "config/<b>&amp;'\".yaml": b"a: 1\n",
    "config/deep/er/b.json": b'{"model": "llama"}\n',
    "config/moved.yaml": b"a: 1\nb: &x [1]\nc: '</pre><script>alert(4)</script>'\n",
    "config/lines.yaml": b"{{ .Values.a }}: '</pre><script>alert(5)</script>'\nb: 1\n",
    "config/gone.yaml": b"a: 1\n",
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}


#: What some of them become upstream, and the texts of variants of these, by their drift then.
MOVED = {
    "config/moved.yaml": b"a: 2\nb: &x [1]\nc: '</pre><script>alert(6)</script>'\n",
    "config/lines.yaml": b"{{ .Values.a }}: '</pre><script>alert(7)</script>'\nb: 1\n",
    "config/gone.yaml": None,
}
VARIANTS = {
    "conflict": ("config/moved.yaml", "a: 1\nb: &x [1]\nc: '</pre><script>alert(8)</script>'\n"),
    "lines": ("config/lines.yaml", "{{ .Values.a }}: '</pre><script>alert(9)</script>'\nb: 1\n"),
    "behind": (
        "config/moved.yaml",
        HOSTILE["config/moved.yaml"].decode() + "d: 4 # \u202eevil\u202c\n",
    ),
    "upstream_removed": ("config/gone.yaml", "a: 2\n"),
}


@dataclass(frozen=True, slots=True)
class Site(Generic[S]):
    """The service, a browser, and the ids of what is there."""

    service: S
    browser: Browser
    project: str
    files: dict[str, str]
    modified: str
    sync: str
    deleted: str
    #: Variants by what became of their originals.
    moved: dict[str, str]
    releases: tuple[str, str]
    #: A sweep of a file that upstream changed since, and a result of one of its cells.
    sweep: str
    result: str
    account: str
    rule: str

    @property
    def pages(self) -> list[str]:
        """Every page, with filters and searches."""
        home = f"/ui/projects/{self.project}"
        return [
            *GENERAL_PAGES,
            *project_pages(home),
            *people_pages(home, self),
            *file_pages(home, self),
            *variant_pages(home, self),
            *release_pages(home, self),
            *sweep_pages(home, self),
            *result_pages(home, self),
            *("/ui/audit", "/ui/audit?actor=nobody", "/ui/audit?action=variant.edit"),
            *(f"{home}/history", f"{home}/history?outcome=refused&since=2026-01-01"),
        ]

    @property
    def kinds(self) -> dict[str, str]:
        """A page of every kind: addresses that differ only in ids or filters are one kind.

        Merges are of one kind for each kind of drift.
        """
        drifts = {modified: drift for drift, modified in self.moved.items()}
        kinds: dict[str, str] = {}
        empty_or_compared = re.compile("zzz|nothing|compare.with")
        for path in self.pages:
            if "?" in path and not empty_or_compared.search(path):
                continue
            merged = drifts.get(path.split("/")[3] if "/merge" in path else "", "")
            kinds.setdefault(f"{kind_of(path)} {merged}", path)
        return kinds


def project_pages(home: str) -> list[str]:
    """Return the pages of a project and of searches in it."""
    return [
        *(home, f"{home}?q=a", f"{home}?type=job"),
        *(f"{home}?show=problems", f"{home}?show=variants&q=zzz"),
        *(f"{home}/search", f"{home}/search?q=a"),
        *(f"{home}/search?q=e&in=keys", f"{home}/search?q=zzz&in=values"),
    ]


def people_pages(home: str, site: Site[S]) -> list[str]:
    """Return the pages of accounts, groups, rules of federation and grants."""
    return [
        *("/ui/people", "/ui/people?q=zzz", "/ui/people/new"),
        *("/ui/people/groups", "/ui/people/tokens"),
        *(f"/ui/people/{site.account}", f"/ui/people/{site.account}/delete"),
        *("/ui/people/federation", "/ui/people/federation/new"),
        *(f"/ui/people/federation/{site.rule}{end}" for end in ("", "/delete")),
        *(f"{home}/access", f"{home}/access?q=a", f"{home}/access?q=zzz"),
    ]


def file_pages(home: str, site: Site[S]) -> list[str]:
    """Return the pages of originals and lists of variants, of syncs and of a project's settings."""
    files = [f"{home}/files/{file}" for file in site.files.values()]
    return [
        f"{files[0]}?line=1",
        *(f"{home}/modified-files{filters}" for filters in ("", "?drift=conflict", "?q=a")),
        *(f"{home}/syncs", f"{home}/syncs/{site.sync}", f"{home}/settings", f"{home}/delete"),
        *files,
        *(f"{files[0]}/history", f"{files[0]}/new-variant"),
        *(f"{file}/variants" for file in files),
    ]


def variant_pages(home: str, site: Site[S]) -> list[str]:
    """Return the pages of variants, of merges and of the trash."""
    conflict, removed = (
        f"/ui/modified-files/{site.moved[drift]}" for drift in ("conflict", "upstream_removed")
    )
    return [
        *(f"{home}/trash", f"{home}/reset", f"/ui/trash/{site.deleted}"),
        *(
            page
            for modified in (site.modified, *site.moved.values())
            for page in pages_of(modified)
        ),
        *(f"{conflict}/merge/edit", f"{conflict}/merge/upstream"),
        f"{home}/modified-files/rebase-all",
        f"{home}/modified-files/rebase-all?original={site.files['config/moved.yaml']}",
        *(f"{removed}/reattach", f"{removed}/reattach?q=zzz"),
    ]


def release_pages(home: str, site: Site[S]) -> list[str]:
    """Return the pages of releases and of their comparisons."""
    first, second = (f"/ui/releases/{digest}" for digest in site.releases)
    return [
        *(f"{home}/releases", first, f"{second}?q=a", f"{second}?q=zzz", f"{first}?making=2"),
        f"{first}/compare",
        f"{first}/compare?with={site.releases[1]}",
        f"{second}/compare?with={site.releases[0]}",
    ]


def sweep_pages(home: str, site: Site[S]) -> list[str]:
    """The pages of sweeps."""
    sweep = f"/ui/sweeps/{site.sweep}"
    new = f"{home}/sweeps/new"
    return [
        *(f"{home}/sweeps", new, f"{new}?file={site.files['config/moved.yaml']}"),
        *(f"{new}?variant={site.modified}", f"{home}/sweeps/import", f"{home}/releases?cells=true"),
        *(sweep, f"{sweep}?retired=true", f"{sweep}?axis.nothing=1", f"{sweep}/definition"),
        *(f"{sweep}/rebase", f"{sweep}/edit", f"{sweep}/delete"),
        f"{sweep}/cells/3",
    ]


def result_pages(home: str, site: Site[S]) -> list[str]:
    """The pages of results."""
    result = f"/ui/results/{site.result}"
    sweep = f"{home}/results?sweep={site.sweep}&baseline=0"
    return [
        *(f"{home}/results", sweep, f"{sweep}&sort=-metric.ttft_p99&group=environment"),
        *(f"{home}/results/list", f"{home}/results/list?tool=vllm&label=nothing%3Dzzz"),
        f"{home}/results/list?deleted=true",
        *(result, f"{result}/cite", f"{result}/delete"),
        f"/ui/releases/{site.releases[0]}/results/new",
        f"/ui/modified-files/{site.modified}/results",
    ]


def kind_of(address: str) -> str:
    """Return the address without ids."""
    return re.sub(r"(sha256:)?[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{24}", "ID", address)


def pages_of(modified: str) -> list[str]:
    """The pages of a modified file."""
    home = f"/ui/modified-files/{modified}"
    return [
        *(home, f"{home}/delete", f"{home}/revisions", f"{home}/revisions/1", f"{home}/merge"),
        *(
            f"{home}/compare",
            f"{home}/compare?against=original",
            f"{home}/compare?against=revision:1",
        ),
    ]


async def build_site(service: S, browser: Browser) -> Site[S]:
    """Something on every page."""
    repository = service.repository("acme/bench", HOSTILE)
    project = await service.synced(
        "acme/bench", name=HOSTILE_NAME, config_folder="config", job_folder="job"
    )
    files = await service.files(project["id"])
    modified = await _variant(service, project, files["config/closing.yaml"])
    deleted = await service.variant(project["id"], files["config/a.yaml"], modified_name="<u>.yaml")
    assert (await service.http.delete(f"/modified-files/{deleted['id']}")).status_code == 204
    moved = {
        drift: await _changed(service, project, files[path], drift)
        for drift, (path, _) in VARIANTS.items()
    }
    sweep = await _sweep(service, project)
    result = await _results(service, sweep)
    repository.commit(MOVED, message="second")
    await service.sync(project["id"])
    [sync, _] = await service.rows(f"/projects/{project['id']}/syncs")
    return Site(
        service,
        browser,
        project["id"],
        {path: file["id"] for path, file in files.items()},
        modified["id"],
        sync["id"],
        deleted["id"],
        moved,
        await _releases(service, project, modified),
        sweep,
        result,
        await _account(service, project),
        await _rule(service, project),
    )


async def _account(service: Api, project: Json) -> str:
    """A person with a role in the project, as a group has one."""
    fields = {"name": "kim </td><script>alert(10)</script>", "password": PASSWORD}
    account = await service.post("/accounts", fields, 201)
    grants = f"/projects/{project['id']}/grants"
    await service.put(grants, {"kind": "account", "id": account["id"], "role": "editor"})
    await service.put(grants, {"kind": "group", "id": "acme/<b>team", "role": "reader"})
    made: str = account["id"]
    return made


async def _rule(service: Api, project: Json) -> str:
    """A rule of federation for the project."""
    fields = {
        "name": "ci </td><script>alert(11)</script>",
        "issuer": "https://token.actions.githubusercontent.com",
        "audience": "bench",
        "subject": "repo:acme/bench:ref:refs/heads/<i>",
        "projects": [project["id"]],
    }
    rule = await service.post("/federation", fields, 201)
    made: str = rule["id"]
    return made


async def _releases(service: Api, project: Json, modified: Json) -> tuple[str, str]:
    """One of the originals and one of all, the first made twice.

    Between them files are changed and added.
    """
    path = f"/projects/{project['id']}/releases"
    fields = {
        "name": HOSTILE_NAME,
        "description": "</textarea><img src=x onerror=alert(4)>",
        "include": "originals",
    }
    first = await service.post(path, fields, 201)
    await service.post(path, {"name": "again", "include": "originals", "pinned": True}, 200)
    await service.put(f"/modified-files/{modified['id']}", {"content": "a: '</script><i>'\nc: 1\n"})
    original = (await service.files(project["id"]))["config/a.yaml"]
    replaced = await service.variant(
        project["id"], original, content="model: '</code><script>alert(5)</script>'\n"
    )
    second = await service.post(path, {}, 201)
    answer = await service.http.delete(
        f"/modified-files/{replaced['id']}", headers={"If-Match": "*"}
    )
    assert answer.status_code == 204, answer.text
    return first["digest"], second["digest"]


async def _sweep(service: Api, project: Json) -> str:
    """A sweep of two axes, whose second one sets two values."""
    definition = {
        "name": HOSTILE_NAME,
        "description": "</textarea><img src=x onerror=alert(12)>",
        "files": {"moved": "config/moved.yaml"},
        "axes": [
            {
                "name": "</option><script>alert(13)</script>",
                "set": "moved:a",
                "values": [1, "</code><script>alert(14)</script>"],
            },
            {
                "name": "c\u202e",
                "points": [
                    {"name": "p1", "set": {"moved:c": "</pre><script>alert(15)</script>"}},
                    {"name": "p2", "set": {"moved:c": "x", "moved:<u>?": None}},
                ],
            },
        ],
        "exclude": [{"c\u202e": "p2", "</option><script>alert(13)</script>": 5}],
        "repeats": 2,
    }
    made = await service.post(f"/projects/{project['id']}/sweeps", definition, 201)
    sweep: str = made["id"]
    return sweep


async def _results(service: Api, sweep: str) -> str:
    """Results of cells in two environments, one of them with a receipt of other files."""
    [first, second, *_] = await service.rows(f"/sweeps/{sweep}/cells")
    hostile = "</td><script>alert(16)</script>\u202e"
    for repeat in range(4):
        await upload(service, first["digest"], plain(10.0 + repeat), labels='{"<i>gpu": "a"}')
    receipt = await service.post(
        f"/releases/{second['digest']}/receipts",
        {"files": {f"{hostile}.yaml": "0" * 64}, "node": hostile, "gpus": [hostile]},
        201,
    )
    made = await upload(
        service,
        second["digest"],
        plain(5.0, **{hostile: 1.0}),
        file_name=f"{hostile}.json",
        labels=json.dumps({"<i>gpu": hostile}),
        note=hostile,
        receipt=receipt["id"],
    )
    found: str = made["id"]
    return found


async def _variant(service: Api, project: Json, file: Json) -> Json:
    description = "</textarea><img src=x onerror=alert(3)>"
    return await service.variant(
        project["id"], file, modified_name="<i>.yaml", description=description
    )


async def _changed(service: Api, project: Json, file: Json, drift: str) -> str:
    """Add a variant which has this drift when its original has changed."""
    variant = await service.post(
        f"/projects/{project['id']}/modified-files?allow_invalid=true",
        {
            "original_file_id": file["id"],
            "modified_name": f"{drift}.yaml",
            "content": VARIANTS[drift][1],
        },
        201,
    )
    made: str = variant["id"]
    return made


def check(page: WebPage, language: str = "en") -> None:
    """What holds for every page."""
    headers = page.answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    check_headers(page)
    assert page.html.startswith("<!doctype html>")
    assert page.all("html")[0]["lang"] == language
    assert page.unclosed == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert sorted(ids) == sorted(set(ids)), "an id stands twice"
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    inline = {"style", "onclick", "onerror", "onload"}
    assert [tag for tag in page.tags if not inline.isdisjoint(tag[1])] == []
    sources = [script["src"] for script in page.all("script")]
    assert [source for source in sources if not source.startswith("/ui/static/dist/")] == []
    sent = [form for form in page.forms if form.method != "get"]
    assert [form.action for form in sent if not form.fields["csrf_token"]] == []
    actions = [form.action for form in page.forms]
    assert [action for action in actions if not action.startswith(("/ui", "?"))] == []
    named = {label["for"] for label in page.all("label")}
    fields = [*page.all("input"), *page.all("textarea"), *page.all("select")]
    shown = [each for each in fields if each.get("type") != "hidden"]
    assert [
        each for each in shown if each.get("id") not in named and not each.get("aria-label")
    ] == []


def check_headers(page: WebPage) -> None:
    headers = page.answer.headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    [nonce] = re.findall(r"'nonce-([\w-]{22})'", policy["style-src"])
    assert f'name="csp-nonce" content="{nonce}"' in page.html
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "no-cache" in headers["cache-control"]
    assert {"Accept-Language", "Cookie"} <= set(headers["vary"].split(", "))


def web_routes(service: Service) -> list[APIRoute]:
    found = [route for route in all_routes(service) if route.path.startswith("/ui")]
    assert len(found) > 20
    return found


def all_routes(service: Service) -> list[APIRoute]:
    """Those of the API and of the pages; not what is mounted."""
    return [route for route in service.app.routes if isinstance(route, APIRoute)]
