"""The journey of a variant in a repository of thousands of files."""

from pathlib import Path

from playwright.async_api import expect

from github_test_server import Repository
from support.person import BrowserPerson
from support.real_repositories import real_repository
from support.service import Api
from support.visitors import Visitors

NAME = "EleutherAI/lm-evaluation-harness"
FILES = 3691
FILE = "lm_eval/tasks/mmlusr/answer_only/answer_only_high_school_physics.yaml"


async def test_a_variant_is_made_in_a_project_of_thousands_of_files(
    api: Api, visitors: Visitors, shared_data: Path, tmp_path: Path
) -> None:
    """Find, change, save and compare a file of lm-evaluation-harness."""
    real_repository(shared_data, NAME.replace("/", "__")).build(tmp_path / "harness.git", 3)
    api.github.add(NAME, Repository(tmp_path / "harness.git"))
    person = BrowserPerson(await visitors.page())
    page = person.page
    await page.goto(f"/ui/projects/new?repository={NAME}")
    await person.field("Name").fill("harness")
    await person.field("Configuration folder").fill("lm_eval/tasks")
    await person.field("Job folder").fill("templates")
    await person.send("Add repository")
    await expect(page.locator("#tabs")).to_contain_text(f"{FILES:,}", timeout=60_000)
    await expect(page.locator(".tree summary").first).to_be_visible()
    await person.press("/")
    await page.keyboard.type("answer_only_high_school_physics")
    # A role is computed for each of the links that are listed until the search answers.
    await page.locator("#results a", has_text=FILE).click()
    await person.link("Make a variant").click()
    await person.send("Make the variant")
    await person.replace('"task": ', '"task": ' + '"mine" # ')
    await person.save()
    await person.sees("Saved.")
    await person.link("Compare").click()
    await expect(page.get_by_role("row", name="task")).to_contain_text("mine")
