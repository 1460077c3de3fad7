"""`benchmark-manager pull --receipt`: the pulled files are read back and reported."""

import json
import os
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from benchmark_manager.cli.releases.machine import Gpus, installed_gpus, read_gpus
from support.commands import ServiceCommands
from support.hostile_server import head, hostile_server
from support.service import Json
from support.swept import FILES, SweptProject, sizes

H100: Final = "NVIDIA H100 80GB HBM3"
#: Writes a file with the line ends of Windows.
CRLF: Final = r"""awk '{printf "%s\r\n", $0}'"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(cli: ServiceCommands) -> SweptProject:
    repository = cli.service.repository("acme/receipts", FILES)
    made = await cli.service.synced("acme/receipts", name="receipts")
    return SweptProject(cli.service, repository, made["id"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def digest(project: SweptProject) -> str:
    made = await project.service.post(f"{project.home}/releases", {}, 201)
    return str(made["digest"])


def program(folder: Path, script: str) -> dict[str, str]:
    """Put a program named nvidia-smi first in the path."""
    folder.mkdir(exist_ok=True)
    file = folder / "nvidia-smi"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


async def pulled(
    cli: ServiceCommands,
    digest: str,
    folder: Path,
    *options: str,
    variables: Mapping[str, str] | None = None,
) -> Json:
    """Pull with a receipt, and return the receipt as the service has it."""
    done = await cli(
        "pull", digest, "--to", str(folder), "--receipt", *options, environment=variables
    )
    return await cli.service.get(f"/receipts/{done.out.strip()}")


async def test_a_receipt_says_that_the_files_are_in_place_and_where(
    cli: ServiceCommands, project: SweptProject, digest: str, tmp_path: Path
) -> None:
    smi = program(tmp_path / "bin", f'test "$*" = "{QUERY}" && echo "{H100}, 570.124.06"')
    variables = {"NODE_NAME": "gpu-7", "BENCHMARK_MANAGER_IMAGE_ID": "vllm@sha256:1", **smi}
    found = await pulled(cli, digest, tmp_path / "release", variables=variables)
    assert (found["status"], found["files"]) == ("verified", len(FILES))
    assert (found["release"], found["project_id"]) == (digest, project.id)
    assert (found["node"], found["image_id"]) == ("gpu-7", "vllm@sha256:1")
    assert (found["gpus"], found["driver"]) == ([H100], "570.124.06")
    assert found["created_by"] == "jo"


QUERY: Final = "--query-gpu=name,driver_version --format=csv,noheader"


async def test_a_folder_that_is_right_already_has_a_receipt_too(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    await cli("pull", digest, "--to", str(tmp_path / "release"))
    found = await pulled(cli, digest, tmp_path / "release")
    assert found["status"] == "verified"
    assert found["node"]


async def test_the_beginning_of_a_digest_is_enough(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    found = await pulled(cli, digest[:20], tmp_path / "release")
    assert (found["status"], found["release"]) == ("verified", digest)


def changing(folder: Path, script: str) -> dict[str, str]:
    """Change a pulled folder before its files are read back: `nvidia-smi` runs between the two."""
    return program(folder.with_name("bin"), f"cd {shlex.quote(str(folder))} && {script}")


async def test_files_that_change_behind_the_pull_differ(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    folder = tmp_path / "release"
    smi = changing(
        folder,
        "echo 'engine: {}' > config/engine.yaml && rm config/other.json"
        " && ln -s engine.yaml config/link && ln -s / job/folder",
    )
    done = await cli("pull", digest, "--to", str(folder), "--receipt", environment=smi)
    found = await cli.service.get(f"/receipts/{done.out.strip()}")
    differing = ["config/engine.yaml", "config/link", "config/other.json", "job/folder"]
    assert (found["status"], found["differing"]) == ("differs", differing)
    assert "warning: the files are not those of the release any more" in done.err


@pytest.mark.parametrize(
    ("script", "differing"),
    [
        (
            f"{CRLF} config/engine.yaml > ../crlf && mv ../crlf config/engine.yaml",
            ["config/engine.yaml"],
        ),
        (
            "mv config/engine.yaml ../same && ln -s ../../same config/engine.yaml",
            ["config/engine.yaml"],
        ),
        ("rm -r ./*", []),
    ],
    ids=["line ends", "link to the same bytes", "nothing left"],
)
async def test_a_folder_that_is_not_the_release_differs(
    cli: ServiceCommands, digest: str, tmp_path: Path, script: str, differing: list[str]
) -> None:
    folder = tmp_path / "release"
    smi = changing(folder, script)
    done = await cli("pull", digest, "--to", str(folder), "--receipt", environment=smi)
    found = await cli.service.get(f"/receipts/{done.out.strip()}")
    assert (found["status"], found["differing"]) == ("differs", differing)


async def test_a_cell_has_a_receipt_of_its_sweep_s_project(
    cli: ServiceCommands, project: SweptProject, tmp_path: Path
) -> None:
    await project.sweep(sizes(256, name="one cell"))
    found = await pulled(cli, "one cell/0", tmp_path / "cell", "--project", "receipts")
    assert (found["status"], found["project_id"]) == ("verified", project.id)


async def test_every_cell_has_a_receipt(
    cli: ServiceCommands, project: SweptProject, tmp_path: Path
) -> None:
    sweep = await project.sweep(sizes(64, 512))
    file = tmp_path / "receipts.json"
    options = ("--cells", "--receipt-file", str(file), "--json")
    done = await cli("pull", sweep["id"], "--to", str(tmp_path / "cells"), *options)
    written = json.loads(file.read_text())
    assert [one["receipt"] for one in done.json] == written
    assert [one["status"] for one in written] == ["verified", "verified"]
    assert [one["release"] for one in written] == [one["digest"] for one in done.json]


async def test_a_receipt_is_written_to_a_file(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    file = tmp_path / "new" / "receipt.json"
    done = await cli("pull", digest, "--to", str(tmp_path / "r"), "--receipt-file", str(file))
    assert json.loads(file.read_text())["id"] == done.out.strip()
    assert [one.name for one in file.parent.iterdir()] == ["receipt.json"]


@pytest.mark.parametrize("name", ["receipt.json", "config/receipt.json", "../release/r.json"])
async def test_a_receipt_is_never_written_into_the_release(
    cli: ServiceCommands, digest: str, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "release"
    options = ("--to", str(folder), "--receipt-file", str(folder / name))
    done = await cli("pull", digest, *options, code=2)
    assert "which holds the release and nothing else" in done.err
    assert not folder.exists()


async def test_files_stay_where_the_receipt_is_refused(
    cli: ServiceCommands, project: SweptProject, digest: str, tmp_path: Path
) -> None:
    other = await project.service.project("acme/receipts", name="no release here")
    folder = tmp_path / "release"
    options = ("--to", str(folder), "--receipt", "--project", other["id"])
    done = await cli("pull", digest, *options, code=1)
    assert "(project_mismatch)" in done.err
    assert f"The files are in {folder}; only their receipt is missing." in done.err
    assert (folder / "config/engine.yaml").read_bytes() == FILES["config/engine.yaml"]


async def test_files_stay_where_the_service_is_gone_behind_the_pull(
    cli: ServiceCommands, digest: str, tmp_path: Path
) -> None:
    folder = tmp_path / "release"
    await cli("pull", digest, "--to", str(folder))
    with hostile_server(lambda _: [head(502)]) as server:
        options = ("--receipt", "--patience", "0", "--url", server.url)
        done = await cli("pull", digest, "--to", str(folder), *options, code=4)
    assert "only their receipt is missing" in done.err
    assert (folder / "job/bench.yaml").exists()


@pytest.mark.parametrize(
    "script",
    ["exit 9", "echo no devices were found", "yes", "printf '\\377\\000,,\\n\\n,1\\n'"],
    ids=["failing", "a sentence", "endless", "garbage"],
)
def test_an_unusable_answer_of_nvidia_smi_names_no_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setenv("PATH", program(tmp_path, script)["PATH"])
    assert installed_gpus() == Gpus()


def test_an_nvidia_smi_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", program(tmp_path, f"echo '{H100}, 570.1'; sleep 100")["PATH"])
    begun = time.monotonic()
    assert installed_gpus(seconds=0.2) == Gpus()
    assert time.monotonic() - begun < 20


def test_without_nvidia_smi_there_are_no_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed_gpus() == Gpus()


@pytest.mark.parametrize(
    ("answer", "gpus"),
    [
        (f"{H100}, 570.124.06\n{H100}, 570.124.06\n", Gpus((H100, H100), "570.124.06")),
        (f"{H100}, 570.124.06\r\n", Gpus((H100,), "570.124.06")),
        ('"Odd, name", 1.2\n', Gpus(("Odd, name",), "1.2")),
        ("NVIDIA-SMI has failed because it couldn't communicate, at all\n", Gpus()),
        (f"{H100}, [N/A]\n", Gpus()),
        ("\x1b[31mGPU\x07, 1.2\n", Gpus(("[31mGPU",), "1.2")),
        ("G" * 500 + ", 1.2\n", Gpus(("G" * 200,), "1.2")),
        ("G, 1.2\n" * 100, Gpus(("G",) * 64, "1.2")),
    ],
    ids=["two", "windows", "quoted", "failed", "no driver", "controls", "long", "many"],
)
def test_gpus_are_read_from_the_answer_of_nvidia_smi(answer: str, gpus: Gpus) -> None:
    assert read_gpus(answer.encode()) == gpus
