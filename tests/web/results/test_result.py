"""The pages of one result: what it says, its labels and note, how to cite it, and its deletion."""

import json
import re

import pytest

from support.browser import Browser, WebForm, WebPage
from support.measured_pages import MeasuredPages, plain, upload
from support.service import Service
from support.site import check


def saving(page: WebPage, result: str) -> WebForm:
    return page.form(f"/ui/results/{result}")


async def test_a_result_shows_its_metrics_and_leads_to_what_was_measured(
    browser: Browser, measured: MeasuredPages
) -> None:
    [result] = measured.results[3]
    page = await browser.open(f"/ui/results/{result}")
    check(page)
    assert "ttft_p99" in page.text
    assert "ms, lower is better" in page.text
    assert "gpu=H100" in page.text
    assert "Not verified" in page.text
    links = set(page.links())
    assert f"/ui/sweeps/{measured.sweep}/cells/3" in links
    assert f"/ui/releases/{measured.cells[3]}" in links
    assert f"/results/{result}/raw" in links


async def test_a_metric_in_two_units_has_a_row_for_each(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    points = [
        {"point": unit, "metrics": {"cost": {"value": value, "unit": unit, "direction": "lower"}}}
        for unit, value in (("USD", 1.25), ("EUR", 2.5))
    ]
    content = json.dumps({"points": points}).encode()
    result = await upload(service, measured.cells[0], content)
    page = await browser.open(f"/ui/results/{result['id']}")
    check(page)
    rows = re.search(r"<tbody>(.*?)</tbody>", page.html, re.DOTALL)
    assert rows is not None
    units_and_values = re.findall(r">(USD|EUR)\b|title=\"([0-9.]+)\"", rows[1])
    assert ["".join(pair) for pair in units_and_values] == ["USD", "1.25", "EUR", "2.5"]


async def test_labels_and_note_are_changed(browser: Browser, measured: MeasuredPages) -> None:
    [result] = measured.results[3]
    page = await browser.open(f"/ui/results/{result}")
    saved = await browser.send(
        saving(page, result), labels="gpu = H200\nengine=0.9", note="warm\ncache"
    )
    check(saved)
    assert "Saved." in saved.text
    assert "gpu=H200" in saved.text
    assert "warm\ncache" in saved.text


async def test_another_tool_reads_the_file_again(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    wrong = await upload(service, measured.cells[0], plain(71.5), tool="vllm")
    page = await browser.open(f"/ui/results/{wrong['id']}")
    assert "No metrics were read" in page.text
    form = saving(page, wrong["id"])
    assert form.fields["tool"] == "vllm"
    saved = await browser.send(form, tool="")
    check(saved)
    assert "71.5" in saved.text
    assert saving(saved, wrong["id"]).fields["tool"] == ""


async def test_a_form_without_a_choice_of_the_tool_keeps_it(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    wrong = await upload(service, measured.cells[0], plain(72.5), tool="vllm")
    form = saving(await browser.open(f"/ui/results/{wrong['id']}"), wrong["id"])
    del form.fields["tool"]
    await browser.send(form, note="kept")
    assert (await service.get(f"/results/{wrong['id']}"))["tool"] == "vllm"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"labels": "no separator"}, "Line 1 is not a label"),
        ({"labels": f"{'n' * 500}=1"}, "label"),
        ({"note": "n" * 10_001}, "10000"),
    ],
    ids=["no label", "long name", "long note"],
)
async def test_what_was_refused_is_still_in_the_form(
    browser: Browser, measured: MeasuredPages, typed: dict[str, str], said: str
) -> None:
    [result] = measured.results[3]
    form = saving(await browser.open(f"/ui/results/{result}"), result)
    page = await browser.send(form, 422, **typed)
    check(page)
    [error] = re.findall(
        r'<p class="field-error" id="error-(?:labels|note)">.*?</svg>(.*?)</p>', page.html
    )
    assert said in error
    assert typed.items() <= saving(page, result).fields.items()


async def test_a_later_change_is_not_overwritten_unseen(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    [result] = measured.results[3]
    form = saving(await browser.open(f"/ui/results/{result}"), result)
    await service.put(f"/results/{result}", {"labels": {"gpu": "L4"}, "note": ""})
    stale = await browser.send(form, 412, note="mine")
    check(stale)
    assert "gpu=L4" in stale.text
    saved = await browser.send(saving(stale, result))
    assert "Saved." in saved.text
    assert "mine" in saved.text


async def test_a_deleted_result_comes_back_by_undo_and_from_the_trash(
    browser: Browser, measured: MeasuredPages
) -> None:
    [result] = measured.results[3]
    asked = await browser.open(f"/ui/results/{result}/delete")
    check(asked)
    gone = await browser.send(asked.form("/delete"))
    assert "The result was deleted." in gone.text
    await browser.open(f"/ui/results/{result}", 404)
    trash = await browser.open(f"{measured.home}/list?deleted=true")
    check(trash)
    assert "run.json" in trash.text
    back = await browser.send(gone.form("/undelete"))
    assert back.url == f"/ui/results/{result}"
    assert "The result was restored." in back.text


async def test_a_citation_names_digest_command_commit_and_metrics(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    [result] = measured.results[3]
    page = await browser.open(f"/ui/results/{result}/cite")
    check(page)
    commit = (await service.get(f"/sweeps/{measured.sweep}"))["base_commit_sha"]
    [text] = re.findall(r'<textarea id="cite-text"[^>]*>(.*?)</textarea>', page.html, re.DOTALL)
    assert f"Release: {measured.cells[3]}" in text
    assert f"benchmark-manager pull {measured.cells[3]}" in text
    assert f"Commit: {commit}" in text
    assert "Metrics: ttft_p99 40 ms" in text


async def test_the_points_of_a_file_are_columns(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    lines = [b'{"request_rate": %d, "median_ttft_ms": %d, "completed": 9}' % (n, n) for n in (1, 2)]
    result = await upload(service, measured.cells[0], b"\n".join(lines), tool="vllm")
    page = await browser.open(f"/ui/results/{result['id']}")
    check(page)
    assert len(result["points"]) == 2
    heads = re.findall(r'<th scope="col" class="num"><bdi>(.*?)</bdi>', page.html)
    assert heads == [point["point"] for point in result["points"]]


async def test_a_hostile_file_is_shown_as_text(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    name = "</script><img src=x onerror=alert(1)>\u202e.json"
    data = plain(1.0, **{"<b>metric\u202e": 1e308})
    result = await upload(
        service, measured.cells[0], data, file_name=name, note=name.replace("\n", "")
    )
    page = await browser.open(f"/ui/results/{result['id']}")
    check(page)
    assert "<img src=x" not in page.html
    assert "<b>metric" not in page.html


async def test_an_unknown_format_says_how_to_write_metrics(
    service: Service, browser: Browser, measured: MeasuredPages
) -> None:
    result = await upload(service, measured.cells[0], b"\x00\xffnothing")
    page = await browser.open(f"/ui/results/{result['id']}")
    check(page)
    assert "No metrics were read" in page.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Left out, as these are no numbers: a, b, c, d, e and 2 more."),
        ("ko", "숫자가 아니므로 제외했습니다: a, b, c, d, e 외 2개."),
    ],
)
async def test_problems_of_a_file_are_shown_in_the_reader_s_language(
    service: Service, measured: MeasuredPages, language: str, said: str
) -> None:
    metrics = dict.fromkeys("abcdefg", "no number")
    data = json.dumps({"metrics": {"ttft_p99": 1.0, **metrics}}).encode()
    result = await upload(service, measured.cells[0], data)
    answer = await service.http.get(
        f"/ui/results/{result['id']}", headers={"Accept": "text/html", "Accept-Language": language}
    )
    assert said in answer.text
