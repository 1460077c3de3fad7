"""Sign-in with GitHub: who came back, and in which organisations and teams the person is."""

from collections.abc import Iterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2 as httpx
import pytest

from benchmark_manager.errors import IssuerError, SignedTokenError
from benchmark_manager.issuers.fetching import IssuerClient
from benchmark_manager.issuers.github import GitHubSignIn, GitHubSignInApp, web_host
from benchmark_manager.models.access.sign_in import ProvedPerson, SignInAttempt
from github_test_server import GitHubTestServer, Person, Status
from support.bad_issuer import BadIssuer, IssuerClock, IssuerReply
from support.waiting import GENEROUS

BACK = "https://bench.example.com/auth/github/callback"
SECRET = "of-the-app"


@pytest.fixture
def attempt(clock: IssuerClock) -> SignInAttempt:
    return SignInAttempt(
        provider="github",
        state="the-state",
        nonce="the-nonce",
        verifier="v" * 43,
        next="/ui",
        began_at=clock(),
    )


@pytest.fixture
def kim(github: GitHubTestServer) -> Iterator[Person]:
    kim = Person(id=77, login="kim", organisations=["acme"], teams=["acme/bench-team"])
    github.hosting.sign_ins.add_app("bench", SECRET, BACK)
    github.hosting.sign_ins.browser = kim
    yield kim
    github.hosting.sign_ins.browser = None


@pytest.fixture
def provider(github: GitHubTestServer, http: IssuerClient) -> GitHubSignIn:
    return GitHubSignIn(GitHubSignInApp(github.url, "bench", SECRET), http)


async def came_back(provider: GitHubSignIn, attempt: SignInAttempt) -> dict[str, str]:
    """With what GitHub sends the browser back."""
    async with httpx.AsyncClient(timeout=GENEROUS) as browser:
        answer = await browser.get(provider.address(attempt, BACK))
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def signed_in(provider: GitHubSignIn, attempt: SignInAttempt) -> ProvedPerson:
    return await provider.person(attempt, await came_back(provider, attempt), BACK)


async def test_a_person_is_known_by_the_number_and_has_groups(
    provider: GitHubSignIn, github: GitHubTestServer, attempt: SignInAttempt, kim: Person
) -> None:
    assert await signed_in(provider, attempt) == ProvedPerson(
        kind="github",
        issuer=github.url,
        subject=str(kim.id),
        name="kim",
        groups=("acme", "acme/bench-team"),
    )


async def test_lists_of_groups_are_read_to_their_end(
    provider: GitHubSignIn, attempt: SignInAttempt, kim: Person
) -> None:
    kim.teams = [f"acme/team-{number:03}" for number in range(205)]
    assert set(kim.teams) <= set((await signed_in(provider, attempt)).groups)


async def test_no_more_is_asked_for_than_groups(
    provider: GitHubSignIn, attempt: SignInAttempt
) -> None:
    query = parse_qs(urlsplit(provider.address(attempt, BACK)).query)
    assert query["scope"] == ["read:org"]
    assert query["code_challenge_method"] == ["S256"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": "other"}, "state"),
        ({"state": ""}, "state"),
        ({"error": "access_denied"}, "refused"),
        ({"code": ""}, "refused"),
        ({"code": "unknown"}, "refused"),
    ],
    ids=str,
)
async def test_an_answer_that_proves_nobody_is_refused(
    provider: GitHubSignIn,
    attempt: SignInAttempt,
    kim: Person,
    changed: dict[str, str],
    reason: str,
) -> None:
    assert kim.login
    back = {**await came_back(provider, attempt), **changed}
    with pytest.raises(SignedTokenError) as caught:
        await provider.person(attempt, back, BACK)
    assert caught.value.reason == reason


async def test_a_person_who_cancels_is_not_signed_in(
    provider: GitHubSignIn, attempt: SignInAttempt, kim: Person
) -> None:
    kim.denies = True
    with pytest.raises(SignedTokenError) as caught:
        await signed_in(provider, attempt)
    assert caught.value.reason == "refused"


async def test_a_stolen_code_is_useless_without_the_verifier(
    provider: GitHubSignIn, attempt: SignInAttempt, kim: Person
) -> None:
    assert kim.login
    back = await came_back(provider, attempt)
    with pytest.raises(SignedTokenError):
        await provider.person(attempt.model_copy(update={"verifier": "w" * 43}), back, BACK)


@pytest.mark.parametrize("token", ["ü", "\ud800", "a\r\nb", "", 5, None], ids=ascii)
async def test_a_token_that_no_header_can_carry_is_refused(
    http: IssuerClient, issuer: BadIssuer, attempt: SignInAttempt, token: object
) -> None:
    provider = GitHubSignIn(GitHubSignInApp(issuer.url, "bench", SECRET), http)
    issuer.replies["/login/oauth/access_token"] = IssuerReply.of({"access_token": token})
    with pytest.raises(SignedTokenError) as caught:
        await provider.person(attempt, {"state": attempt.state, "code": "one"}, BACK)
    assert caught.value.reason == "refused"


async def test_an_app_that_may_not_read_teams_signs_in_without_them(
    provider: GitHubSignIn, github: GitHubTestServer, attempt: SignInAttempt, kim: Person
) -> None:
    assert kim.login
    github.faults.add(Status(403), path="/user/teams", times=None)
    assert (await signed_in(provider, attempt)).groups == ("acme",)


@pytest.mark.parametrize("path", ["/user/teams", "/user/orgs", "/user"])
async def test_a_failure_of_github_ends_the_sign_in(
    provider: GitHubSignIn,
    github: GitHubTestServer,
    attempt: SignInAttempt,
    kim: Person,
    path: str,
) -> None:
    assert kim.login
    github.faults.add(Status(503), path=path, times=None)
    with pytest.raises(IssuerError) as caught:
        await signed_in(provider, attempt)
    assert caught.value.facts["status"] == 503


@pytest.mark.parametrize(
    ("api_url", "host"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://git.acme.com/api/v3", "https://git.acme.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_pages_are_on_the_web_host_of_the_api(api_url: str, host: str) -> None:
    assert web_host(api_url) == host


def test_no_representation_shows_the_secret() -> None:
    assert SECRET not in repr(GitHubSignInApp("https://api.github.com", "bench", SECRET))
