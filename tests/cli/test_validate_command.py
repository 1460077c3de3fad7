"""`benchmark-manager validate`: the service's verdict without a service."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark_manager.cli.commands import app
from support.commands import CommandLine, Done
from support.process import run_main

JOB = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\nspec:\n  template:\n    spec:\n      containers: []\n"
FILES = {
    "good.yaml": "model: llama\n",
    "double.yaml": "a: 1\nb: 2\na: 3\n",
    "broken.json": '{"a": 1,}\n',
    "template.yaml": "replicas: {{ count }}\n",
    "doubtful.yaml": "enabled: no\n",
    "job.yaml": JOB.replace("containers: []", "containers: []\n      restartPolicy: Always\n      restartPolcy: x"),
    "fine-job.yaml": JOB.replace(
        "containers: []", "restartPolicy: Never\n      containers:\n      - name: a\n        image: b:1"
    ),
    "deep/more.yml": "\ta: 1\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def validate(*arguments: object, code: int = 0) -> Done:
    ran = CliRunner().invoke(app, ["validate", *map(str, arguments)])
    assert ran.exit_code == code, ran.output
    return Done(ran.exit_code, ran.stdout, ran.stderr)


def test_problems_are_written_as_compilers_do(folder: Path) -> None:
    done = validate(folder / "good.yaml", folder / "double.yaml", folder / "broken.json", code=1)
    lines = done.out.splitlines()
    assert lines[0].startswith(f"{folder}/double.yaml:3:1: error duplicate_key ")
    assert lines[1].startswith(f"{folder}/broken.json:1:9: error ")
    assert done.err == "error: 2 of 3 files are invalid. (invalid)\n"


def test_warnings_and_templates_are_no_failure(folder: Path) -> None:
    files = folder / "doubtful.yaml", folder / "template.yaml"
    done = validate(*files)
    assert {line.split(" ")[1] for line in done.out.splitlines()} == {"warning"}
    assert {line.split(":")[0] for line in done.out.splitlines()} == {str(p) for p in files}
    assert done.err == "2 files checked, none is invalid.\n"


def test_a_folder_is_searched(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "x.yaml").write_text("a: 1\na: 2\n")
    (folder / "notes.txt").write_text("a: 1\na: 2\n")
    names = [verdict["name"] for verdict in json.loads(validate(folder, "--json", code=1).out)]
    assert names == sorted(f"{folder}/{name}" for name in FILES)


async def test_the_verdict_is_the_service_s(cli: CommandLine, folder: Path) -> None:
    verdicts = {verdict["name"]: verdict for verdict in json.loads(validate(folder, "--json", code=1).out)}
    for name, text in FILES.items():
        mine = verdicts[f"{folder}/{name}"]
        body = {"name": name, "content": text, "file_type": mine["file_type"]}
        theirs = await cli.service.post("/validate", body, 200)
        assert {**theirs, "name": mine["name"]} == {**mine, "kubernetes": theirs["kubernetes"]}
    assert verdicts[f"{folder}/job.yaml"]["file_type"] == "job"
    assert verdicts[f"{folder}/fine-job.yaml"]["problems"] == []


def test_what_the_files_are_can_be_said(folder: Path) -> None:
    (folder / "kind.yaml").write_text("kind: job\n")
    assert not validate(folder / "kind.yaml").out
    assert validate(folder / "kind.yaml", "--type", "job").out
    config = json.loads(validate(folder / "job.yaml", "--type", "config", "--json").out)
    assert [verdict["file_type"] for verdict in config] == ["config"]


def test_bytes_which_are_no_text_are_invalid(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"a: \xff\n")
    done = validate(tmp_path / "x.yaml", code=1)
    assert done.out.startswith(f"{tmp_path}/x.yaml:1:1: error not_utf8 Byte 4 ")


@pytest.mark.parametrize("name", ["no.yaml", "notes.txt", "."])
def test_what_cannot_be_checked_is_wrong_usage(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    assert validate(tmp_path / name, code=2).out == ""


def test_no_service_and_no_settings_are_needed(folder: Path) -> None:
    done = run_main(folder, "validate", "good.yaml", "double.yaml", mongo_url="mongodb://127.0.0.1:1", port="x")
    assert (done.returncode, done.stdout.partition(" ")[0]) == (1, "double.yaml:3:1:")
    assert "Traceback" not in done.stderr
