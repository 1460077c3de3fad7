"""Who makes a request, as credentials, proxies and browsers say it; and how often."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from benchmark_manager.models.access.audit import AuditFilter
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.services.access.identities import Credentials
from benchmark_manager.stores.access.audit import AuditStore
from github_test_server import GitHubTestServer
from support.clocks import Clock
from support.guarded import ORIGIN, GuardedService, Visitor, client_of, guarded_service
from support.problems import assert_problem, described_routes
from support.reused_database import reused_database
from support.service import Service, running_service
from support.unchanged_service import unchanged_service

UNKNOWN = "0" * 24
PROXY = "10.0.0.7"
OPEN_ROUTES = {
    *("GET /health", "GET /livez", "GET /readyz", "POST /setup", "POST /sessions"),
    "POST /webhooks/github",
}
BODY = {"name": "p", "github_repo_url": "acme/b", "polling_interval": 0}


def addressed(path: str) -> str:
    """A route's path with ids of nothing."""
    return "/".join(UNKNOWN if part.startswith("{") else part for part in path.split("/"))


async def test_every_route_but_the_open_ones_needs_an_identity(guarded: GuardedService) -> None:
    visitor = guarded.visitor()
    served = set()
    for route in described_routes():
        answer = await visitor.ask(route.method.upper(), addressed(route.path), json={})
        if answer.status_code != 401 or answer.json()["code"] != "unauthenticated":
            served.add(route.label)
    assert {label for label in served if " /auth/" not in label} == OPEN_ROUTES


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_the_description_of_the_interface_is_open(guarded: GuardedService, path: str) -> None:
    await guarded.visitor().ask("GET", path, 200)


@pytest.mark.parametrize("path", ["/nowhere", "/ui/nowhere", "/modified-files", "/docs2"])
async def test_an_address_that_is_nothing_needs_an_identity_too(
    guarded: GuardedService, path: str
) -> None:
    answer = await guarded.visitor().ask("GET", path)
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_answer_says_that_the_session_has_ended(guarded: GuardedService) -> None:
    visitor = guarded.visitor(Cookie=f"bm_session={'A' * 43}")
    document = assert_problem(await visitor.ask("GET", "/me"), 401, "unauthenticated")
    assert document["detail"] == "The session has ended; sign in again."


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://service:3000"])
async def test_a_change_by_a_cookie_needs_the_services_own_origin(
    guarded: GuardedService, origin: str | None
) -> None:
    headers = {"Cookie": f"bm_session={guarded.admin.cookie}"}
    headers |= {} if origin is None else {"Origin": origin}
    visitor = Visitor(client_of(guarded.service, headers))
    answer = await visitor.ask("POST", "/projects", json=BODY)
    assert_problem(answer, 403, "origin_not_allowed")
    assert await visitor.get("/projects") == []


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_what_a_browser_says_of_the_site_does_not_replace_the_origin(
    guarded: GuardedService, site: str
) -> None:
    headers = {"Cookie": f"bm_session={guarded.admin.cookie}", "Sec-Fetch-Site": site}
    answer = await Visitor(client_of(guarded.service, headers)).ask("DELETE", "/sessions")
    assert_problem(answer, 403, "origin_not_allowed")


async def test_a_change_by_a_token_needs_no_origin(guarded: GuardedService) -> None:
    program = guarded.program(await guarded.admin.token())
    await program.ask("POST", "/projects", 201, json=BODY)


async def test_where_any_site_may_ask_none_uses_a_session(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with guarded_service(database_url, github, tmp_path, cors_origins=("*",)) as guarded:
        cookie = f"bm_session={guarded.admin.cookie}"
        visitor = guarded.visitor(Cookie=cookie, Origin="https://evil.example")
        answer = await visitor.ask("POST", "/projects", json=BODY)
        assert_problem(answer, 403, "origin_not_allowed")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health"])
async def test_probes_are_never_limited(
    database_url: str, github: GitHubTestServer, tmp_path: Path, path: str
) -> None:
    async with running_service(
        database_url, github, tmp_path, auth="required", rate_limit=1
    ) as service:
        statuses = {(await service.http.get(path)).status_code for _ in range(4)}
        assert statuses == {200}


@pytest.fixture
async def limited(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[GuardedService]:
    """A service that answers twelve requests a minute of each identity and each address."""
    async with guarded_service(database_url, github, tmp_path, rate_limit=12) as running:
        yield running


async def exhaust(visitor: Visitor) -> int:
    """Ask until a request is refused; return after how many."""
    for number in range(14):
        answer = await visitor.ask("GET", "/me")
        if answer.status_code == 429:
            assert_problem(answer, 429, "rate_limited")
            assert 1 <= int(answer.headers["retry-after"]) <= 5
            return number
    raise AssertionError("no request was refused")


async def test_each_identity_has_a_limit_of_its_own(limited: GuardedService) -> None:
    kim = await limited.person("kim")
    program = limited.program(await kim.token("reader"))
    assert await exhaust(kim) <= 12
    await program.get("/me")
    await limited.admin.get("/me")


async def test_a_session_from_another_address_counts_for_the_same_identity(
    limited: GuardedService,
) -> None:
    kim = await limited.person("kim")
    await exhaust(kim)
    there = limited.visitor(address="198.51.100.9", Cookie=f"bm_session={kim.cookie}")
    assert (await there.ask("GET", "/me")).status_code == 429


async def test_who_has_no_identity_is_counted_by_address(limited: GuardedService) -> None:
    assert await exhaust(limited.visitor(address="198.51.100.7")) == 12
    other = await limited.visitor(address="198.51.100.8").ask("GET", "/me")
    assert other.status_code == 401
    await limited.admin.get("/me")


async def test_who_guesses_tokens_is_counted_by_address(limited: GuardedService) -> None:
    program = limited.client({"Authorization": "Bearer bmt_x"}, "198.51.100.7")
    assert await exhaust(Visitor(program)) == 12


async def test_a_right_token_is_served_however_many_wrong_ones_came_from_its_address(
    limited: GuardedService,
) -> None:
    token = await limited.admin.token("reader")
    here = "198.51.100.7"
    guesses = Visitor(limited.client({"Authorization": "Bearer bmt_x"}, here))
    await exhaust(guesses)
    await Visitor(limited.client({"Authorization": f"Bearer {token}"}, here)).get("/me")
    cookie = f"bm_session={limited.admin.cookie}"
    await limited.visitor(address=here, Cookie=cookie).get("/me")
    assert_problem(await guesses.ask("GET", "/me"), 429, "rate_limited")


async def test_who_guessed_nothing_does_not_wait(limited: GuardedService) -> None:
    token = await limited.admin.token("reader")
    here = "198.51.100.7"
    await exhaust(limited.visitor(address=here))
    await Visitor(limited.client({"Authorization": f"Bearer {token}"}, here)).get("/me")


def cookies_of(secret: str, form: str) -> str:
    return form.format(name="bm_session", secret=secret, other="A" * 43)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{name}={secret}", 200),
        ("a=b; {name}={secret} ;c", 200),
        ("{name}={secret}; {name}={secret}", 200),
        ("{name}={secret}; {name}={other}", 401),
        ("{name}={other}; {name}={secret}", 401),
        ("\xa0{name}={secret}", 401),
        ("{name}\x85={secret}", 401),
        ("\x1f{name}={secret}", 401),
        ("{name}\x0c={secret}", 401),
        ("{name}=; {name}={secret}", 401),
    ],
)
async def test_only_the_exact_cookie_counts(
    guarded: GuardedService, form: str, status: int
) -> None:
    cookie = cookies_of(guarded.admin.cookie, form).encode("latin-1")
    await guarded.visitor().ask("GET", "/me", status, headers=[(b"cookie", cookie)])


async def test_where_everybody_is_served_there_is_no_limit_but_a_given_one(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(database_url, github, tmp_path, rate_limit=3) as service:
        statuses = [(await service.http.get("/projects")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_proxied(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("proxied")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(url, github, folder, auth="proxy", trusted_proxies=(PROXY,)) as running,
        ):
            yield running


@pytest.fixture
async def proxied(shared_proxied: Service) -> AsyncIterator[Service]:
    """A service behind a proxy that names people."""
    services = shared_proxied.services
    async with unchanged_service(shared_proxied) as running:
        yield running
        await services.access.uses.finish()
    services.identities.forget()


def through_proxy(service: Service, address: str = PROXY, **headers: str) -> Visitor:
    """A browser whose requests come from an address, with the headers of a proxy."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Visitor(client_of(service, {"Origin": ORIGIN, **named}, address))


async def test_a_proxy_names_people_and_their_groups(proxied: Service) -> None:
    kim = through_proxy(proxied, X_Forwarded_User="kim", X_Forwarded_Groups="b, a,,a")
    me = await kim.get("/me")
    assert me == {
        "kind": "person",
        "id": me["id"],
        "name": "kim",
        "role": "reader",
        "groups": ["a", "b"],
        "via": "proxy",
    }
    moved = through_proxy(proxied, X_Forwarded_User="kim", X_Forwarded_Groups="c")
    assert await moved.get("/me") == {**me, "groups": ["c"]}


async def test_the_first_request_of_a_day_by_a_proxy_is_on_record(proxied: Service) -> None:
    kim = through_proxy(proxied, X_Forwarded_User="kim", X_Forwarded_For="192.0.2.7")
    for groups in ("a", "b", "b"):
        await kim.ask("GET", "/me", 200, headers={"X-Forwarded-Groups": groups})
    await proxied.services.access.uses.finish()
    store = AuditStore(proxied.services.database)
    [record] = (await store.page(AuditFilter(action="sign_in"), PageRequest())).rows
    assert (record.actor.name, record.actor.via, record.address) == ("kim", "proxy", "192.0.2.7")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8"])
async def test_nobody_else_names_people(proxied: Service, address: str) -> None:
    visitor = through_proxy(proxied, address, X_Forwarded_User="kim")
    assert_problem(await visitor.ask("GET", "/me"), 401, "unauthenticated")


@pytest.mark.parametrize("name", ["", "  ", "x" * 501])
async def test_a_proxy_that_names_nobody_proves_nobody(proxied: Service, name: str) -> None:
    visitor = through_proxy(proxied, X_Forwarded_User=name)
    assert_problem(await visitor.ask("GET", "/me"), 401, "unauthenticated")


async def test_of_two_names_none_counts(proxied: Service) -> None:
    headers = [("X-Forwarded-User", "kim"), ("x-forwarded-user", "ada")]
    answer = await through_proxy(proxied).ask("GET", "/me", headers=headers)
    assert_problem(answer, 401, "unauthenticated")


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Forwarded-User", ""), ("X-Forwarded-User", "kim")],
        [("X-Forwarded-User", "kim"), ("x-forwarded-user", " ")],
        [("X-Forwarded-User", "kim"), ("X-Forwarded-Groups", "a"), ("X-Forwarded-Groups", "b")],
        [("X-Forwarded-User", "kim"), ("X-Forwarded-Groups", ""), ("x-forwarded-groups", "b")],
    ],
    ids=["empty before", "empty after", "groups", "empty groups"],
)
async def test_of_two_lines_of_a_header_none_counts(
    proxied: Service, headers: list[tuple[str, str]]
) -> None:
    answer = await through_proxy(proxied).ask("GET", "/me", headers=headers)
    assert_problem(answer, 401, "unauthenticated")


async def test_a_change_in_a_proxys_name_needs_the_services_own_origin(proxied: Service) -> None:
    visitor = Visitor(client_of(proxied, {"X-Forwarded-User": "kim"}, PROXY))
    answer = await visitor.ask("DELETE", "/sessions")
    assert_problem(answer, 403, "origin_not_allowed")
    await through_proxy(proxied, X_Forwarded_User="kim").ask("DELETE", "/sessions", 204)


async def test_requests_of_a_new_person_at_once_make_one_account(proxied: Service) -> None:
    kim = through_proxy(proxied, X_Forwarded_User="kim")
    other = through_proxy(proxied, X_Forwarded_User="kim", X_Forwarded_Groups="a")
    found = [await visitor.get("/me") for visitor in (kim, other, kim)]
    assert len({me["id"] for me in found}) == 1


async def test_with_required_no_proxy_names_people(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(
        database_url, github, tmp_path, auth="required", trusted_proxies=(PROXY,)
    ) as service:
        visitor = through_proxy(service, X_Forwarded_User="kim")
        assert_problem(await visitor.ask("GET", "/me"), 401, "unauthenticated")


async def test_figures_need_a_reader(guarded: GuardedService) -> None:
    program = guarded.program(await guarded.admin.token("reader"))
    await program.ask("GET", "/metrics", 200)
    assert_problem(await guarded.visitor().ask("GET", "/metrics"), 401, "unauthenticated")
    nobody = await guarded.person("kim", "none")
    assert_problem(await nobody.ask("GET", "/metrics"), 403, "forbidden")


async def test_open_figures_need_nobody(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with guarded_service(database_url, github, tmp_path, metrics_open=True) as guarded:
        await guarded.admin.post("/projects", BODY)
        answer = await guarded.visitor().ask("GET", "/metrics", 200)
        assert 'benchmark_manager_projects{status="never"} 1.0' in answer.text
        assert_problem(await guarded.visitor().ask("GET", "/status"), 401, "unauthenticated")


@pytest.mark.parametrize(("role", "status"), [("admin", "ok"), ("maintainer", "failing")])
async def test_the_services_token_reads_only_for_projects_of_administrators(
    database_url: str, github: GitHubTestServer, tmp_path: Path, role: str, status: str
) -> None:
    github.hosting.add_token("service-token")
    async with guarded_service(
        database_url, github, tmp_path, github_token="service-token"
    ) as guarded:
        files = {"config/a.yaml": b"a: 1\n"}
        guarded.service.repository("acme/secret", files, private_to=["service-token"])
        kim = await guarded.person("kim", role)
        project = await kim.post("/projects", {**BODY, "github_repo_url": "acme/secret"})
        path = f"/projects/{project['id']}"
        await kim.ask("POST", f"{path}/sync")
        assert (await kim.get(path))["sync_status"] == status
        # An administrator who names the repository takes it upon themselves.
        body = {"github_repo_url": "acme/secret"}
        await guarded.admin.ask("PUT", path, 200, json=body)
        await kim.ask("POST", f"{path}/sync", 200)


@pytest.mark.parametrize(("role", "seen"), [("admin", True), ("maintainer", False)])
async def test_the_services_token_previews_only_for_administrators(
    database_url: str, github: GitHubTestServer, tmp_path: Path, role: str, *, seen: bool
) -> None:
    github.hosting.add_token("service-token")
    async with guarded_service(
        database_url, github, tmp_path, github_token="service-token"
    ) as guarded:
        files = {"config/a.yaml": b"a: 1\n"}
        guarded.service.repository("acme/secret", files, private_to=["service-token"])
        kim = await guarded.person("kim", role)
        body = {"github_repo_url": "acme/secret"}
        answer = await kim.ask("POST", "/repositories/preview", json=body)
        assert (answer.status_code == 200) is seen


async def test_another_repository_is_not_confirmed(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    github.hosting.add_token("service-token")
    async with guarded_service(
        database_url, github, tmp_path, github_token="service-token"
    ) as guarded:
        files = {"config/a.yaml": b"a: 1\n"}
        for name in ("acme/one", "acme/other"):
            guarded.service.repository(name, files, private_to=["service-token"])
        project = await guarded.admin.post("/projects", {**BODY, "github_repo_url": "acme/one"})
        path = f"/projects/{project['id']}"
        await guarded.admin.ask("POST", f"{path}/sync", 200)
        kim = await guarded.person("kim", "maintainer")
        await kim.ask("PUT", path, 200, json={"github_repo_url": "acme/other"})
        assert (await kim.ask("POST", f"{path}/sync")).status_code >= 400
        await kim.ask("PUT", path, 200, json={"github_repo_url": "acme/one"})
        assert (await kim.ask("POST", f"{path}/sync")).status_code >= 400


async def test_one_identity_listens_forty_times(guarded: GuardedService) -> None:
    services = guarded.service.services
    me = await services.identities.identify(Credentials(session=guarded.admin.cookie))
    assert me is not None

    async def identify() -> Principal | None:
        return me

    listeners = [await services.events.listen(me, [], None, identify=identify) for _ in range(40)]
    refused = await guarded.admin.ask("GET", "/events")
    assert_problem(refused, 429, "too_many_listeners")
    for listener in listeners:
        services.events.leave(listener)


async def test_housekeeping_deletes_what_has_ended(guarded: GuardedService, clock: Clock) -> None:
    await guarded.admin.token()
    visitor = guarded.visitor()
    await visitor.ask("POST", "/sessions", 401, json={"name": "x", "password": "x"})
    clock.forward(days=130)
    await guarded.service.services.housekeeping.run()
    stores = guarded.service.services.database
    names = ("sessions", "api_tokens", "sign_in_attempts", "setup_links")
    counts = [await stores.collection(name).count_documents({}) for name in names]
    assert counts == [0, 0, 0, 0]
