"""Commands for results: from a file of a tool to a table, and back."""

import csv
import json
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from support.commands import ServiceCommands
from support.hostile_server import head, hostile_server
from support.service import Json
from support.swept import FILES, SweptProject, sizes

UNKNOWN: Final = "f" * 24


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: ServiceCommands) -> SweptProject:
    return await _project(cli, "measured")


async def _project(cli: ServiceCommands, name: str) -> SweptProject:
    # The same files in two projects would be one release of both.
    own = {"config/other.json": b'{"project": "%s"}\n' % name.encode()}
    repository = cli.service.repository(f"acme/{name}", FILES | own)
    made = await cli.service.synced(f"acme/{name}", name=name)
    return SweptProject(cli.service, repository, made["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def digest(project: SweptProject) -> str:
    made = await project.service.post(f"{project.home}/releases", {}, 201)
    return str(made["digest"])


def plain(folder: Path, name: str, **metrics: float) -> str:
    """Write a result in the plain format, and return its path."""
    file = folder / name
    file.write_text(json.dumps({"metrics": metrics}))
    return str(file)


async def uploaded(cli: ServiceCommands, *arguments: str) -> list[Json]:
    found: list[Json] = (await cli("result", "upload", *arguments, "--json")).json
    return found


async def test_files_are_uploaded_and_listed(
    cli: ServiceCommands, digest: str, project: SweptProject, tmp_path: Path
) -> None:
    first = plain(tmp_path, "first.json", ttft_p99=12.5, output_throughput=2000)
    second = plain(tmp_path, "second.json", ttft_p99=13.5)
    labels = ("--label", "gpu=H100 80GB", "--label", "list=first")
    done = await cli("result", "upload", first, second, "--release", digest, *labels)
    ids = done.out.split()
    assert len(ids) == 2
    assert done.err.splitlines() == [
        f"{first}: plain, 2 metrics, no receipt.",
        f"{second}: plain, 1 metric, no receipt.",
    ]
    listed = (await cli("result", "list", project.id, "--label", "list=first", "--json")).json
    assert [row["id"] for row in reversed(listed)] == ids
    assert listed[0]["labels"] == {"gpu": "H100 80GB", "list": "first"}
    shown = await cli("result", "list", project.id, "--release", digest[:20], "--limit", "1")
    assert len(shown.out.splitlines()) == 2
    unknown = await cli("result", "list", project.id, "--release", "f" * 12, code=1)
    assert "(release_not_found)" in unknown.err


async def test_an_upload_may_be_repeated(cli: ServiceCommands, digest: str, tmp_path: Path) -> None:
    file = plain(tmp_path, "again.json", ttft_p99=99)
    first = await cli("result", "upload", file, "--release", digest[:20])
    again = await cli("result", "upload", file, "--release", digest)
    assert again.out == first.out
    assert again.err == f"{file}: plain, 1 metric, no receipt; it was uploaded before.\n"


async def test_a_result_is_shown_with_its_exact_bytes(
    cli: ServiceCommands, digest: str, project: SweptProject, tmp_path: Path
) -> None:
    file = plain(tmp_path, "shown.json", ttft_p99=1234.5)
    options = ("--release", digest, "--note", "a cold start", "--tool", "plain")
    [result] = await uploaded(cli, file, *options)
    shown = await cli("result", "show", result["id"])
    assert "a cold start" in shown.out
    assert shown.out.splitlines()[-1].split() == ["ttft_p99", "1,234", "ms", "lower"]
    assert (await cli("result", "show", result["id"], "--json")).json == result
    raw = await cli("result", "show", result["id"], "--raw")
    assert raw.out == Path(file).read_text()
    assert result["project_id"] == project.id


async def test_a_file_that_fails_does_not_stop_the_others(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "other.bin").write_bytes(b"\x00\xff")
    files = [tmp_path / name for name in ("none.json", "empty.json", "other.bin")]
    done = await cli("result", "upload", *map(str, files), "--release", digest, code=1)
    assert len(done.out.split()) == 1
    lines = done.err.splitlines()
    assert lines[0] == f"{files[0]}:"
    assert lines[1] == "error: There is no such file. (unreadable)"
    assert lines[2] == f"{files[1]}:"
    assert lines[3].endswith("(invalid_request)")
    assert "other.bin: unknown, 0 metrics, no receipt." in lines[-2]


async def test_files_of_no_known_format_have_one_hint(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    files = [tmp_path / "one.bin", tmp_path / "two.bin"]
    for file in files:
        file.write_bytes(file.name.encode() + b"\x00\xff")
    done = await cli("result", "upload", *map(str, files), "--release", digest)
    hint = "Give --tool, or write the plain form: docs/results.md."
    assert [line for line in done.err.splitlines() if "--tool" in line] == [hint]


async def test_a_file_of_a_known_format_has_no_hint(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    file = plain(tmp_path, "known.json", ttft_p99=1)
    done = await cli("result", "upload", file, "--release", digest)
    assert "--tool" not in done.err


async def test_names_labels_and_notes_may_have_any_letters_and_be_long(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    file = plain(tmp_path, 'größe "1"; 결과.json', ttft_p99=3)
    note = "메모 " * 3000
    labels = [f"label {number}=" + "값" * 500 for number in range(50)]
    options = [word for label in labels for word in ("--label", label)]
    [result] = await uploaded(cli, file, "-r", digest, "--note", note, *options)
    assert result["file_name"] == 'größe "1"; 결과.json'
    assert (result["note"], len(result["labels"])) == (note, 50)


async def test_an_unknown_release_stops_at_the_first_file(
    cli: ServiceCommands, tmp_path: Path
) -> None:
    files = [plain(tmp_path, f"{number}.json", ttft_p99=1) for number in range(2)]
    done = await cli("result", "upload", *files, "--release", "0" * 64, code=1)
    assert done.err.count("error:") == 1
    assert "(release_not_found)" in done.err


async def test_an_upload_without_a_service_ends_with_4(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    file = plain(tmp_path, "lost.json", ttft_p99=1)
    with hostile_server(lambda _: [head(503)]) as server:
        options = ("--release", digest, "--patience", "0", "--url", server.url)
        done = await cli("result", "upload", file, *options, code=4)
    assert done.out == ""


async def test_a_receipt_is_named_by_its_id_or_by_its_file(
    cli: ServiceCommands, project: SweptProject, tmp_path: Path
) -> None:
    sweep = await project.sweep(sizes(64, 96, name="with receipts"))
    written = tmp_path / "receipts.json"
    options = ("--to", str(tmp_path / "cells"), "--cells", "--receipt-file", str(written))
    await cli("pull", sweep["id"], *options)
    receipts = json.loads(written.read_text())

    async def result_of(number: int, given: str) -> tuple[str, str, int]:
        file = plain(tmp_path, f"cell{number}.json", ttft_p99=number)
        release = ("--release", f"{sweep['id']}/{number}")
        [result] = await uploaded(cli, file, *release, "--receipt", given)
        return result["receipt"]["id"], result["receipt"]["status"], result["cell_index"]

    assert await result_of(1, str(written)) == (receipts[1]["id"], "verified", 1)
    assert await result_of(0, receipts[0]["id"]) == (receipts[0]["id"], "verified", 0)


@pytest.mark.parametrize("content", ["[]", "{", '{"id": "x"}', "[" * 5000])
async def test_a_file_without_a_receipt_is_wrong_usage(
    cli: ServiceCommands, digest: str, tmp_path: Path, content: str
) -> None:
    (tmp_path / "receipt.json").write_text(content)
    file = plain(tmp_path, "x.json", ttft_p99=1)
    options = ("--release", digest, "--receipt", str(tmp_path / "receipt.json"))
    done = await cli("result", "upload", file, *options, code=2)
    assert "has no receipt of this release" in done.err


async def test_an_unknown_receipt_is_refused(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    file = plain(tmp_path, "y.json", ttft_p99=1)
    options = ("--release", digest, "--receipt", UNKNOWN)
    done = await cli("result", "upload", file, *options, code=1)
    assert "(receipt_not_found)" in done.err


async def test_labels_and_note_are_changed(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    file = plain(tmp_path, "edited.json", ttft_p99=7)
    [result] = await uploaded(cli, file, "-r", digest, "-l", "gpu=H100", "-l", "wrong=yes")
    options = ("--label", "driver=570", "--remove-label", "wrong", "--note", "new")
    saved = (await cli("result", "edit", result["id"], *options, "--json")).json
    assert (saved["labels"], saved["note"]) == ({"gpu": "H100", "driver": "570"}, "new")
    kept = await cli("result", "edit", result["id"], "--note", "x", "--revision", "9", code=1)
    assert "(stale)" in kept.err


async def test_a_wrong_tool_is_corrected(cli: ServiceCommands, digest: str, tmp_path: Path) -> None:
    file = plain(tmp_path, "wrong-tool.json", ttft_p99=70)
    [wrong] = await uploaded(cli, file, "-r", digest, "--tool", "vllm")
    right = (await cli("result", "edit", wrong["id"], "--tool", "plain", "--json")).json
    assert (wrong["points"], len(right["points"]), right["tool"]) == ([], 1, "plain")
    again = (await cli("result", "edit", wrong["id"], "--tool", "vllm", "--json")).json
    recognised = (await cli("result", "edit", wrong["id"], "--tool", "auto", "--json")).json
    assert (again["tool"], recognised["tool"], recognised["revision"]) == ("vllm", "plain", 4)


async def test_a_deleted_result_is_restored(
    cli: ServiceCommands, digest: str, project: SweptProject, tmp_path: Path
) -> None:
    file = plain(tmp_path, "deleted.json", ttft_p99=8)
    [result] = await uploaded(cli, file, "-r", digest)
    await cli("result", "delete", result["id"])
    await cli("result", "show", result["id"], code=1)
    trash = (await cli("result", "list", project.id, "--deleted", "--json")).json
    assert [row["id"] for row in trash] == [result["id"]]
    done = await cli("result", "undelete", result["id"])
    assert done.err == "Restored deleted.json.\n"
    assert (await cli("result", "show", result["id"], "--json")).json["deleted_at"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("upload", "x.json", "--release", "short"),
        ("upload", "x.json", "--release", "0" * 64, "--label", "gpu"),
        ("upload", "x.json", "--release", "0" * 64, "-l", "a=1", "-l", "a=2"),
        ("show", "vllm.json"),
        ("show", UNKNOWN, "--raw", "--json"),
        ("edit", UNKNOWN),
        ("table", "measured", "--csv", "--json"),
        ("table", "measured", "--sweep", "x", "--releases", "0" * 64),
        ("table", "measured", "--retired"),
    ],
    ids=lambda arguments: arguments[0],
)
async def test_arguments_that_make_no_sense_end_with_2(
    cli: ServiceCommands, project: SweptProject, arguments: tuple[str, ...]
) -> None:
    await cli("result", *arguments, code=2, benchmark_manager_project=project.id)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sweep(cli: ServiceCommands, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A sweep whose first two cells are measured five times each."""
    project = await _project(cli, "compared")
    sweep = await project.sweep(sizes(128, 256, 512, name="throughput"))
    folder = tmp_path_factory.mktemp("measured")
    for index, base in ((0, 800.0), (1, 400.0)):
        files = [
            plain(folder, f"{index}-{n}.json", ttft_p99=base + n, output_throughput=base / 4 + n)
            for n in range(5)
        ]
        gpu = ("--label", "gpu=H100") if index else ("--label", "gpu=A100")
        await cli("result", "upload", *files, "-r", f"{sweep['id']}/{index}", *gpu)
    return sweep


def lines_of(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


async def test_a_table_has_settings_beside_metrics_and_verdicts(
    cli: ServiceCommands, sweep: Json
) -> None:
    options = ("--sweep", sweep["name"], "--baseline", "0")
    columns = ("--metrics", "ttft_p99,output_throughput")
    done = await cli("result", "table", "compared", *options, *columns)
    rows = lines_of(done.out)
    assert rows[0] == [
        *("CELL", "seqs", "gpu", "(env)", "N"),
        *("ttft_p99", "ms", "output_throughput", "tok/s"),
    ]
    assert rows[1][:5] == ["0", "=", "128", "A100", "5"]
    assert rows[1][5:] == ["802", "(801..803)", "202", "(201..203)", "*"]
    assert rows[2][:4] == ["1", "256", "H100", "5"]
    assert rows[2][4:] == [
        *("402", "(401..403)", "-49.9%", "better"),
        *("102", "(101..103)", "-49.5%", "worse", "*"),
    ]
    assert "(mixed_environment)" in done.err
    assert "*: no other row is better in ttft_p99 and output_throughput." in done.err


async def test_a_table_is_written_as_json_and_csv(cli: ServiceCommands, sweep: Json) -> None:
    options = ("table", "compared", "--sweep", sweep["id"])
    found = (await cli("result", *options, "--json")).json
    assert [row["cell_index"] for row in found["rows"]] == [0, 1]
    rows = list(csv.reader((await cli("result", *options, "--csv")).out.splitlines()))
    assert [row[rows[0].index("cell_index")] for row in rows[1:]] == ["0", "1"]


async def test_releases_are_compared_by_the_keys_in_which_they_differ(
    cli: ServiceCommands, sweep: Json
) -> None:
    releases = f"{sweep['id']}/1,{sweep['id']}/0"
    options = ("--releases", releases, "--baseline", f"{sweep['id']}/0")
    done = await cli("result", "table", "compared", *options, "--metrics", "ttft_p99")
    rows = lines_of(done.out)
    # A release that another project of the module made first has no name.
    headings = [word for word in rows[0] if word != "NAME"]
    assert headings == ["RELEASE", "max_num_seqs", "gpu", "(env)", "N", "ttft_p99", "ms"]
    assert sorted(row[-1] for row in rows[1:]) == ["(801..803)", "better"]


async def test_a_metric_that_no_result_has_is_named(cli: ServiceCommands, sweep: Json) -> None:
    options = ("--sweep", sweep["id"], "--metrics", "ttft_p99,ttft_p9")
    done = await cli("result", "table", "compared", *options)
    assert "No result has the metric ttft_p9.\n" in done.err


async def test_metrics_with_a_comma_in_their_names_are_chosen(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    metrics = {"mmlu.acc,none": 0.5, "mmlu.acc,strict": 0.75}
    file = tmp_path / "commas.json"
    file.write_text(
        json.dumps(
            {"metrics": {k: {"value": v, "direction": "higher"} for k, v in metrics.items()}}
        )
    )
    await uploaded(cli, str(file), "--release", digest, "--project", "measured")
    names = ",".join(f'"{name}"' for name in metrics)
    options = ("--releases", digest, "--metrics", names, "--pareto", names, "--json")
    table = (await cli("result", "table", "measured", *options)).json
    assert [column["name"] for column in table["columns"]["metrics"]] == list(metrics)
    assert table["pareto"] == list(metrics)


async def test_a_table_fits_a_terminal_of_100_columns(cli: ServiceCommands, sweep: Json) -> None:
    options = ("table", "compared", "--sweep", sweep["id"], "--baseline", "0")
    done = await cli.on_terminal("result", *options, typed="", COLUMNS="100", TERM="dumb")
    table = done.out[done.out.index("CELL") : done.out.index("= is the baseline")]
    assert max(map(len, table.splitlines())) <= 100
    assert "better" in done.out


async def test_a_report_cites_the_digests(cli: ServiceCommands, sweep: Json) -> None:
    done = await cli("result", "report", "compared", "--sweep", sweep["id"])
    found: Any = done.json
    first = await cli.service.get(f"/sweeps/{sweep['id']}/cells/0")
    assert first["digest"] in done.out
    assert isinstance(found, list)


async def test_the_cells_of_a_sweep_have_the_number_of_their_results(
    cli: ServiceCommands, sweep: Json
) -> None:
    rows = lines_of((await cli("sweep", "cells", sweep["id"])).out)
    assert [row[3] for row in rows] == ["RESULTS", "5", "5", "0"]
