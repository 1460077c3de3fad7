"""Only requests to the service's own names are answered, and only trusted proxies are believed."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest
import pytest_asyncio

from benchmark_manager.api.http.hosts import AllowedHosts, TrustedProxies, caller_of
from benchmark_manager.domain.http.root_path import OWN_SEGMENTS
from github_test_server import GitHubTestServer
from support.outcomes import outcomes
from support.problems import assert_problem
from support.reused_database import reused_database
from support.service import Service, running_service
from support.site import all_routes
from support.unchanged_service import unchanged_service
from support.webhooks import SECRET

PUBLIC = "https://bench.example.com"
OWN = [
    "localhost",
    "LOCALHOST:8001",
    "localhost.",
    "a.localhost",
    "127.0.0.1:8001",
    "[::1]:8001",
    "10.1.2.3",
    "benchmark-manager",
    "benchmark-manager.ns.svc",
    "benchmark-manager.ns.svc.cluster.local:80",
    "svc.",
]
FOREIGN = [
    "evil.example",
    "evil.example:8001",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.svc.example",
    "",
    "a b",
    "evil.example/",
    "user@localhost",
    "localhost:x",
    "localhost,evil.example",
    "é",
    "[::1",
]


@pytest.mark.parametrize("host", OWN)
def test_names_that_no_other_site_has_are_accepted(host: str) -> None:
    assert AllowedHosts((), None).accepts(host.encode())


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_refused(host: str) -> None:
    assert not AllowedHosts((), None).accepts(host.encode("latin-1"))


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("bench.example.com", True),
        ("BENCH.example.com.:443", True),
        ("a.lab.example", True),
        ("lab.example", False),
        ("xlab.example", False),
        ("public.example", True),
        ("benchmark-manager", False),
        ("a.svc", False),
        ("localhost", True),
        ("10.0.0.1", True),
    ],
)
def test_allowed_hosts_replace_the_default_names_but_not_those_of_probes(
    host: str, accepted: bool
) -> None:
    hosts = AllowedHosts(("bench.example.com", "*.lab.example"), "https://public.example")
    assert hosts.accepts(host.encode()) is accepted


def test_a_star_allows_every_name() -> None:
    assert AllowedHosts(("*",), None).accepts(b"evil.example")


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("evil, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:51", "203.0.113.7"),
        ("9.9.9.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("[2001:db8::1]:5", "2001:db8::1"),
        ("10.0.0.3", "10.0.0.3"),
        ("nonsense", "10.0.0.1"),
        ("203.0.113.7, nonsense", "10.0.0.1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_a_client_is_the_first_address_that_is_no_trusted_proxy(chain: str, client: str) -> None:
    assert TrustedProxies(("10.0.0.0/8",)).client("10.0.0.1", chain) == client


def test_an_ipv6_site_shares_its_quotas() -> None:
    first, second, other = (caller_of({"client": (f"2001:db8:{n}::{n}", 1)}) for n in (1, 1, 2))
    assert first == second != other
    assert caller_of({"client": ("2001:db8:1::ffff", 1)}) == first
    assert caller_of({"client": ("::ffff:203.0.113.7", 1)}) == caller_of(
        {"client": ("203.0.113.7", 1)}
    )


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first."""
    async with unchanged_service(module_service) as running:
        yield running


@pytest.mark.parametrize(
    "path", ["/projects", "/ui", "/health", "/openapi.json", "/nowhere", "/webhooks/github"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_a_foreign_host_reads_and_changes_nothing_and_is_not_repeated(
    service: Service, path: str, method: str
) -> None:
    answer = await service.http.request(
        method, path, headers={"Host": "evil.example", "Accept": "text/html"}
    )
    problem = assert_problem(answer, 421, "host_not_allowed")
    assert "ALLOWED_HOSTS" in problem["detail"]
    # With the dot, as the policy's nonce may have any letters.
    assert "evil." not in f"{answer.headers}{answer.text}"


async def paged(service: Service, **headers: str) -> httpx.Response:
    """A list that goes on, so that its Link names the service."""
    if not await service.rows("/projects"):
        for number in range(2):
            await service.project("acme/b", name=f"p{number}")
    return await service.http.get("/projects", params={"limit": 1}, headers=headers)


async def next_page(service: Service, **headers: str) -> str:
    """Return the address of the list's next page."""
    return str((await paged(service, **headers)).links["next"]["url"])


async def test_links_name_the_host_that_was_asked(service: Service) -> None:
    link = await next_page(service, Host="localhost:8001")
    assert link.startswith("http://localhost:8001/projects?")


async def test_everything_that_names_the_service_names_its_public_url(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url, github, tmp_path, public_url=PUBLIC, webhook_secret=SECRET
    ) as service:
        assert (await next_page(service)).startswith(f"{PUBLIC}/projects?")
        assert (await paged(service, Host="bench.example.com")).status_code == 200
        redirect = await service.http.get("/projects/")
        assert redirect.status_code in {307, 404}
        assert "//service" not in redirect.headers.get("location", "")
        page = await service.http.get("/ui/status")
        assert f"{PUBLIC}/webhooks/github" in page.text
        assert "; Secure" in page.headers["set-cookie"]


FORWARDED = {
    "X-Forwarded-Host": "bench.example.com",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "9.9.9.9",
}
ALLOWED = "bench.example.com, service"


async def test_forwarded_headers_are_ignored_unless_a_trusted_proxy_sends_them(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(database_url, github, tmp_path, allowed_hosts=ALLOWED) as service:
        assert (await next_page(service, **FORWARDED)).startswith("http://service/projects?")


async def test_forwarded_headers_of_a_trusted_proxy_are_believed(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url, github, tmp_path, allowed_hosts=ALLOWED, trusted_proxies="127.0.0.0/8"
    ) as service:
        assert (await next_page(service, **FORWARDED)).startswith(f"{PUBLIC}/projects?")
        # Of several values, the one that the nearest proxy added counts.
        added = {name: f"evil.example, {value}" for name, value in FORWARDED.items()}
        assert (await next_page(service, **added)).startswith(f"{PUBLIC}/projects?")
        passed_on = {**FORWARDED, "X-Forwarded-Host": "evil.example"}
        assert_problem(await paged(service, **passed_on), 421, "host_not_allowed")
        direct = await paged(service, **FORWARDED, Host="evil.example")
        assert_problem(direct, 421, "host_not_allowed")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def trusting(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service which believes the proxies on this machine; no test here changes anything in it."""
    folder = tmp_path_factory.mktemp("trusting")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(
                url, github, folder, trusted_proxies=("127.0.0.0/8",), public_url=PUBLIC
            ) as running,
        ):
            yield running


async def start(service: Service, *prefixes: str) -> httpx.Response:
    return await service.http.get(
        "/", headers=[("X-Forwarded-Prefix", prefix) for prefix in prefixes]
    )


async def test_only_a_trusted_proxy_sets_the_prefix(service: Service, trusting: Service) -> None:
    assert (await start(service, "/lab")).headers["location"] == "/docs"
    assert (await start(service, "//evil.example")).headers["location"] == "/docs"
    assert (await start(trusting, "/lab")).headers["location"] == "/lab/docs"
    assert (await start(trusting, "/lab/")).headers["location"] == "/lab/docs"
    assert (await start(trusting, "/", "")).headers["location"] == "/docs"


async def test_the_nearest_proxy_decides_the_prefix(trusting: Service) -> None:
    assert (await start(trusting, "/evil, /lab")).headers["location"] == "/lab/docs"
    assert (await start(trusting, "/evil", "/lab")).headers["location"] == "/lab/docs"


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "lab",
        "/lab/../x",
        "/lab//x",
        "/a b",
        "/a;b",
        "/%2e%2e",
        "/\xff",
        "/ui",
        "/" * 9,
    ],
)
async def test_an_invalid_prefix_is_refused(trusting: Service, prefix: str) -> None:
    """Left out, the links of the answer would lead to what else is on the host."""
    headers = [(b"X-Forwarded-Prefix", prefix.encode("latin-1"))]
    paths = ("/", "/ui", "/projects")
    answers = {path: await trusting.http.get(path, headers=headers) for path in paths}
    assert outcomes(answers) == dict.fromkeys(paths, "400 prefix_not_allowed")
    # With the dot, as the policy's nonce may have any letters.
    assert [p for p, answer in answers.items() if "evil." in f"{answer.headers}{answer.text}"] == []


async def test_root_path_replaces_the_prefix_of_a_proxy_and_follows_public_url(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url,
        github,
        tmp_path,
        root_path="/lab",
        public_url=PUBLIC,
        trusted_proxies="127.0.0.1",
        webhook_secret=SECRET,
    ) as service:
        answers = [await start(service, prefix) for prefix in ("/other", "//evil.example")]
        assert [answer.headers["location"] for answer in answers] == ["/lab/docs"] * 2
        assert (await next_page(service)).startswith(f"{PUBLIC}/lab/projects?")
        assert f"{PUBLIC}/lab/webhooks/github" in (await service.http.get("/ui/status")).text


@pytest.mark.parametrize("path", ["/projects", "/lab/projects"])
async def test_limits_of_bodies_hold_below_a_prefix(trusting: Service, path: str) -> None:
    headers = {"X-Forwarded-Prefix": "/lab", "Content-Type": "text/plain"}
    answer = await trusting.http.post(path, content=b"{}", headers=headers)
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/ui/projects/new", "/lab/ui/projects/new", "/lab/projects"])
async def test_forms_of_other_origins_are_refused_below_a_prefix(
    trusting: Service, path: str
) -> None:
    headers = {"X-Forwarded-Prefix": "/lab", "Origin": "https://evil.example"}
    answer = await trusting.http.post(path, data={"a": "b"}, headers=headers)
    assert_problem(answer, 403, "origin_not_allowed")


async def test_an_own_form_without_its_token_is_refused_as_a_page_below_a_prefix(
    trusting: Service,
) -> None:
    headers = {"X-Forwarded-Prefix": "/lab", "Origin": PUBLIC, "Accept": "text/html"}
    answer = await trusting.http.post("/lab/ui/projects/new", data={"a": "b"}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")


async def test_no_root_path_may_begin_as_an_own_path_does(service: Service) -> None:
    mounted = [path for route in service.app.routes if (path := getattr(route, "path", ""))]
    paths = [*(route.path for route in all_routes(service)), *mounted]
    assert {path.split("/")[1] for path in paths} - {""} <= OWN_SEGMENTS
