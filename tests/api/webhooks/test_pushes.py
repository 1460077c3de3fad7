"""Deliveries that are taken: which projects a push makes due, and which events change nothing."""

from datetime import timedelta

import pytest

from support.hooked import (
    HookedService,
    documents,
    head_of,
    now,
    on_both_databases,
    polled,
    push_to,
    queued,
    stored,
    until_due,
)
from support.service import Json, Service
from support.webhooks import FORM, NO_COMMIT, PATH, a_sha, commit, deliver, encoded, headers, push


@pytest.mark.parametrize(
    "payload",
    [
        {"zen": "Keep it logically awesome.", "hook_id": 1, "repository": {}},
        {"zen": "x", "organization": {}},
    ],
    ids=["repository", "organization"],
)
async def test_a_ping_is_answered_and_changes_nothing(shared: HookedService, payload: Json) -> None:
    before = await documents(shared.service)
    answer = await deliver(shared.service, payload, event="ping")
    assert answer.status_code == 200
    assert (answer.json()["event"], answer.json()["outcome"], answer.json()["projects"]) == (
        "ping",
        "pong",
        [],
    )
    assert await documents(shared.service) == before


@on_both_databases
async def test_a_push_makes_its_projects_due_in_a_second(hooked: Service, project: Json) -> None:
    """Those of the repository and the branch, whatever their folders and names."""
    hooked.repository("acme/other", {"config/a.yaml": b"a: 1\n"})
    second = await hooked.synced("acme/bench", name="second", branch="main")
    others = [
        await hooked.synced("acme/other"),
        await hooked.project("acme/bench", name="dev", branch="dev"),
        await hooked.project("acme/bench2", name="similar"),
    ]
    untouched = [await stored(hooked, each) for each in others]
    asked = await now(hooked)
    sha = a_sha()
    assert sorted(await queued(hooked, push_to(project, hooked, after=sha))) == sorted(
        [project["id"], second["id"]]
    )
    made_due = [await stored(hooked, each) for each in (project, second)]
    earliest, latest = asked + timedelta(seconds=1), await now(hooked) + timedelta(seconds=1)
    due = [document["next_poll_at"] for document in made_due]
    assert [at for at in due if not earliest <= at <= latest] == []
    assert [
        (document["due_trigger"], document["due_rank"], document["pushed_sha"])
        for document in made_due
    ] == [("webhook", 1, sha)] * 2
    assert [await stored(hooked, each) for each in others] == untouched


async def test_a_push_leads_to_a_sync_of_what_was_pushed(hooked: Service, project: Json) -> None:
    before = await head_of(hooked, project)
    repository = hooked.github.hosting.repositories()[0].repository
    sha = repository.commit({"config/new.yaml": b"n: 1\n"})
    changed = [commit(sha, added=["config/new.yaml"])]
    assert await queued(hooked, push_to(project, hooked, before=before, after=sha, commits=changed))
    await until_due(hooked, project)
    assert await polled(hooked, project) == ["webhook", "manual"]
    synced = await hooked.get(f"/projects/{project['id']}")
    assert (synced["last_sync"]["trigger"], synced["last_sync"]["commit_sha"]) == ("webhook", sha)
    assert "config/new.yaml" in await hooked.files(project["id"])
    # The same push again, as a delivery of its own: there is nothing left to do.
    assert (
        await queued(hooked, push_to(project, hooked, before=before, after=sha, commits=changed))
        == []
    )


@pytest.mark.parametrize("interval", [0, 86_400])
async def test_a_push_that_github_does_not_show_yet_is_checked_again(
    hooked: Service, interval: int
) -> None:
    """One server of GitHub reports a push before another has it."""
    repository = hooked.repository("acme/late", {"config/a.yaml": b"a: 1\n"})
    project = await hooked.synced("acme/late", polling_interval=interval)
    before = await head_of(hooked, project)
    later = repository.commit({"config/a.yaml": b"a: 2\n"}, branch="elsewhere")
    changed = [commit(later, modified=["config/a.yaml"])]
    assert await queued(
        hooked, push_to(project, hooked, before=before, after=later, commits=changed)
    )
    await until_due(hooked, project)
    begin = await now(hooked)
    assert (await polled(hooked, project))[0] == "webhook"
    document = await stored(hooked, project)
    assert document["state"]["last_sync"]["status"] == "unchanged"
    assert begin < document["next_poll_at"] <= await now(hooked) + timedelta(seconds=3)
    assert document["due_trigger"] == "webhook"
    repository.reset_branch("main", later)
    await until_due(hooked, project)
    await polled(hooked, project)
    assert await head_of(hooked, project) == later
    # Then it is polled as before.
    document = await stored(hooked, project)
    assert (document["next_poll_at"] is None) == (interval == 0)
    assert document["due_trigger"] == "poll"


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8", FORM.upper()])
async def test_a_form_is_taken_like_json(hooked: Service, project: Json, kind: str) -> None:
    body = encoded(push_to(project, hooked, pusher={"name": "Jürgen & Söhne=+%"}), form=True)
    answer = await hooked.http.post(
        PATH, content=body, headers={**headers(body), "Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["projects"]) == (202, [project["id"]])


async def test_host_and_name_are_compared_regardless_of_case(
    hooked: Service, project: Json
) -> None:
    assert await queued(hooked, push("ACME/Bench", hooked.github.url)) == [project["id"]]
    assert await queued(
        hooked, push("Acme/bench", hooked.github.url.upper().replace("HTTP", "http"))
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.github.com",
        "https://ghe.example.com/api/v3",
        "http://127.0.0.1:1",
        "http://localhost",
    ],
)
async def test_the_same_name_at_another_host_is_another_repository(
    shared: HookedService, url: str
) -> None:
    before = (await documents(shared.service))[0]
    assert await queued(shared.service, push("acme/bench", url)) == []
    assert (await documents(shared.service))[0] == before


@pytest.mark.parametrize("name", ["url", "html_url", "clone_url"])
async def test_web_addresses_do_where_the_payload_has_no_templates(
    hooked: Service, project: Json, name: str
) -> None:
    payload = push_to(project, hooked)
    payload["repository"] = {name: payload["repository"][name], "full_name": "acme/bench"}
    assert await queued(hooked, payload) == [project["id"]]


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/dev",
        "refs/heads/MAIN",
        "refs/heads/feature/main",
        "refs/tags/main",
        "main",
        "x\ud800",
        "",
    ],
    ids=ascii,
)
async def test_other_branches_and_tags_change_nothing(shared: HookedService, ref: str) -> None:
    before = (await documents(shared.service))[0]
    assert await queued(shared.service, push_to(shared.project, shared.service, ref=ref)) == []
    assert (await documents(shared.service))[0] == before


@pytest.mark.parametrize("event", ["issues", "fork", "delete", "workflow_run", "no_such_event"])
async def test_other_events_change_nothing(shared: HookedService, event: str) -> None:
    """Whatever their payload holds."""
    before = (await documents(shared.service))[0]
    payloads: tuple[Json, ...] = (push_to(shared.project, shared.service), {})
    answers = [await deliver(shared.service, payload, event=event) for payload in payloads]
    assert [
        (answer.status_code, answer.json()["outcome"], answer.json()["event"]) for answer in answers
    ] == [(202, "ignored", event)] * 2
    assert (await documents(shared.service))[0] == before


async def test_the_default_branch_is_the_payload_s_until_it_was_read(hooked: Service) -> None:
    project = await hooked.project("acme/unread")
    named = await hooked.project("acme/unread", name="named", branch="dev")
    payload = push_to(project, hooked, branch="trunk")
    assert await queued(hooked, payload) == []
    payload["repository"]["default_branch"] = "trunk"
    assert await queued(hooked, payload) == [project["id"]]
    assert await queued(hooked, push_to(project, hooked, branch="dev")) == [named["id"]]


async def test_a_branch_that_was_deleted_or_made_is_checked(hooked: Service, project: Json) -> None:
    gone = push_to(project, hooked, after=NO_COMMIT, deleted=True, commits=[], head_commit=None)
    assert await queued(hooked, gone) == [project["id"]]
    assert (await stored(hooked, project))["pushed_sha"] is None
    assert await queued(
        hooked, push_to(project, hooked, before=NO_COMMIT, created=True, commits=[])
    ) == [project["id"]]


async def test_a_push_which_touches_neither_folder_starts_nothing(
    hooked: Service, project: Json
) -> None:
    before = (await documents(hooked))[0]
    sha = a_sha()
    commits = [
        commit(a_sha(), added=["docs/a.md"], removed=["configs/a.yaml"]),
        commit(sha, modified=["src/config/a.yaml", "README.md"]),
    ]
    assert await queued(hooked, push_to(project, hooked, after=sha, commits=commits)) == []
    assert (await documents(hooked))[0] == before


async def test_a_folder_at_the_root_is_touched_by_everything(
    hooked: Service, project: Json
) -> None:
    root = await hooked.synced("acme/bench", name="root", config_folder="", polling_interval=86_400)
    sha = a_sha()
    commits = [commit(sha, added=["docs/a.md"])]
    assert await queued(hooked, push_to(project, hooked, after=sha, commits=commits)) == [
        root["id"]
    ]


def beside(count: int) -> list[Json]:
    """Commits that change nothing in the project's folders."""
    return [commit(a_sha(), modified=["README.md"]) for _ in range(count)]


async def test_a_list_of_nineteen_commits_is_not_cut(hooked: Service, project: Json) -> None:
    commits = beside(19)
    pushed = push_to(project, hooked, after=commits[-1]["id"], commits=commits)
    assert await queued(hooked, pushed) == []


SHA = "5" * 40
LAST = commit(SHA, modified=["README.md"])


@pytest.mark.parametrize(
    "cut",
    [
        {"commits": [*beside(19), LAST]},
        {"commits": [LAST], "forced": True},
        {"commits": None},
        {"commits": []},
        {"commits": [LAST, *beside(19)]},
        {"commits": [commit(SHA)]},
        {"commits": [commit(SHA, added=[f"docs/{n}.md" for n in range(3000)])]},
    ],
    ids=[
        "20 commits",
        "a forced push",
        "no list",
        "an empty list",
        "another last commit",
        "no files",
        "3000 files",
    ],
)
async def test_a_list_which_may_be_cut_starts_a_sync(
    hooked: Service, project: Json, cut: Json
) -> None:
    assert await queued(hooked, push_to(project, hooked, after=SHA, **cut)) == [project["id"]]


async def test_an_unpolled_project_follows_pushes_without_a_gap(
    hooked: Service, files: dict[str, bytes]
) -> None:
    """Pushes beside its folders start nothing while each begins where the last one ended."""
    hooked.repository("acme/unpolled", files)
    project = await hooked.synced("acme/unpolled", polling_interval=0)
    first, second, lost, third = await head_of(hooked, project), a_sha(), a_sha(), a_sha()

    def push_beside(before: str, after: str) -> Json:
        return push_to(
            project,
            hooked,
            before=before,
            after=after,
            commits=[commit(after, modified=["README.md"])],
        )

    answered = await hooked.get(f"/projects/{project['id']}")
    assert await queued(hooked, push_beside(first, second)) == []
    assert await queued(hooked, push_beside(second, lost)) == []
    assert await hooked.get(f"/projects/{project['id']}") == answered
    assert await queued(hooked, push_beside(a_sha(), third)) == [project["id"]]


async def test_a_paused_project_is_not_made_due(hooked: Service, project: Json) -> None:
    collection = hooked.services.database.collection("projects")
    await collection.update_one({}, {"$set": {"paused": True}})
    before = await stored(hooked, project)
    assert await queued(hooked, push_to(project, hooked)) == []
    assert await stored(hooked, project) == before


async def test_hundreds_of_projects_of_one_repository_are_due_together(hooked: Service) -> None:
    store = hooked.services.project_store
    first = await store.get((await hooked.project("acme/many", branch="main"))["id"])
    ids = [first.id, *(hooked.services.database.new_id() for _ in range(119))]
    for number, new_id in enumerate(ids[1:]):
        await store.insert(first.model_copy(update={"id": new_id, "name": f"p{number}"}))
    assert sorted(await queued(hooked, push("acme/many", hooked.github.url))) == sorted(ids)
    rows, _ = await documents(hooked)
    due = [row for row in rows if str(row["_id"]) in ids]
    assert [(row["wishes"], row["due_trigger"]) for row in due] == [(1, "webhook")] * 120
