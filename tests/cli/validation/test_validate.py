"""`benchmark-manager validate`: the service's verdict without a service."""

import json
import os
import socket
from pathlib import Path

import pytest

from support.commands import Done, ServiceCommands, run_here
from support.process import run_main

JOB = (
    "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n"
    "spec:\n  template:\n    spec:\n      containers: []\n"
)
FILES = {
    "good.yaml": "model: llama\n",
    "double.yaml": "a: 1\nb: 2\na: 3\n",
    "broken.json": '{"a": 1,}\n',
    "template.yaml": "replicas: {{ count }}\n",
    "doubtful.yaml": "enabled: no\n",
    "job.yaml": JOB.replace(
        "containers: []", "containers: []\n      restartPolicy: Always\n      restartPolcy: x"
    ),
    "fine-job.yaml": JOB.replace(
        "containers: []",
        "restartPolicy: Never\n      containers:\n      - name: a\n        image: b:1",
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
    done = run_here(["validate", *map(str, arguments)])
    assert done.code == code, done.out + done.err
    return done


def test_problems_are_written_in_the_form_of_compilers(folder: Path) -> None:
    done = validate(folder / "good.yaml", folder / "double.yaml", folder / "broken.json", code=1)
    lines = done.out.splitlines()
    assert lines[0].startswith(f"{folder}/double.yaml:3:1: error duplicate_key ")
    assert lines[1].startswith(f"{folder}/broken.json:1:9: error ")
    assert done.err == "error: 2 of 3 files are invalid. (invalid)\n"


def test_warnings_and_templates_are_not_failures(folder: Path) -> None:
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


async def test_the_verdict_is_the_service_s(cli: ServiceCommands, folder: Path) -> None:
    verdicts = {
        verdict["name"]: verdict for verdict in json.loads(validate(folder, "--json", code=1).out)
    }
    mine = {name: verdicts[f"{folder}/{name}"] for name in FILES}
    theirs = {
        name: await cli.service.post(
            "/validate",
            {"name": name, "content": text, "file_type": mine[name]["file_type"]},
            200,
        )
        for name, text in FILES.items()
    }
    assert {name: {**each, "name": mine[name]["name"]} for name, each in theirs.items()} == {
        name: {**each, "kubernetes": theirs[name]["kubernetes"]} for name, each in mine.items()
    }
    assert verdicts[f"{folder}/job.yaml"]["file_type"] == "job"
    assert verdicts[f"{folder}/fine-job.yaml"]["problems"] == []


def test_the_type_of_files_can_be_given(folder: Path) -> None:
    (folder / "kind.yaml").write_text("kind: job\n")
    assert not validate(folder / "kind.yaml").out
    assert validate(folder / "kind.yaml", "--type", "job").out
    config = json.loads(validate(folder / "job.yaml", "--type", "config", "--json").out)
    assert [verdict["file_type"] for verdict in config] == ["config"]


def test_bytes_that_are_not_text_are_invalid(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"a: \xff\n")
    done = validate(tmp_path / "x.yaml", code=1)
    assert done.out.startswith(f"{tmp_path}/x.yaml:1:1: error not_utf8 Byte 4 ")


@pytest.mark.parametrize("name", ["no.yaml", "notes.txt", "."])
def test_what_cannot_be_checked_is_wrong_usage(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    assert validate(tmp_path / name, code=2).out == ""


def test_no_service_and_no_settings_are_needed(folder: Path) -> None:
    done = run_main(
        folder, "validate", "good.yaml", "double.yaml", mongo_url="mongodb://127.0.0.1:1", port="x"
    )
    assert (done.returncode, done.stdout.partition(" ")[0]) == (1, "double.yaml:3:1:")
    assert "Traceback" not in done.stderr


@pytest.fixture
def oddities(tmp_path: Path) -> Path:
    """One file that does not parse and a good one, among what cannot be read."""
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "bad.yaml").write_text("a: [\n")
    (folder / "ok.yaml").write_text("a: 1\n")
    (folder / "good-link.yaml").symlink_to("ok.yaml")
    (folder / "broken-link.yaml").symlink_to("../not-there/x.yaml")
    (folder / "round.json").symlink_to("round.json")
    (folder / "device.yml").symlink_to("/dev/zero")
    (folder / "up").symlink_to("..")
    os.mkfifo(folder / "pipe.yaml")
    os.truncate(_made(folder / "huge.yaml"), 15_728_641)
    _made(Path(os.fsdecode(os.fsencode(folder) + b"/\xff.yaml")))
    with socket.socket(socket.AF_UNIX) as listener:
        # By a short path: the address of a socket has 107 bytes at most.
        number = os.open(folder, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{number}/socket.yaml")
        os.close(number)
    return folder


def _made(path: Path) -> Path:
    path.write_bytes(b"")
    return path


#: What stands behind `error` for each.
UNREADABLE = {
    "broken-link.yaml": "unreadable The file cannot be read: a link without a target.",
    "device.yml": "unreadable The file cannot be read: a device.",
    "pipe.yaml": "unreadable The file cannot be read: a pipe.",
    "round.json": "unreadable The file cannot be read: Too many levels of symbolic links.",
    "socket.yaml": "unreadable The file cannot be read: a socket.",
}


def test_other_files_are_checked_despite_unreadable_ones(oddities: Path) -> None:
    done = validate(oddities, code=1)
    lines = {f"{oddities}/{name}:1:1: error {words}" for name, words in UNREADABLE.items()}
    assert lines <= {*done.out.splitlines()}
    assert f"{oddities}/bad.yaml:2:1: error syntax_error " in done.out
    assert f"{oddities}/huge.yaml:1:1: error too_large " in done.out
    assert f"{oddities}/\\udcff.yaml:1:1: warning empty " in done.out
    assert "ok.yaml" not in done.out
    assert f"warning: {oddities}/up is a link to a folder and was not followed; " in done.err
    assert (
        done.err.splitlines()[1] == "error: 2 of 10 files are invalid. 5 cannot be read. (invalid)"
    )


def test_json_includes_unreadable_files(oddities: Path) -> None:
    verdicts = {
        Path(found["name"]).name: found for found in validate(oddities, "--json", code=1).json
    }
    assert {name for name, found in verdicts.items() if found["validity"] == "unchecked"} == set(
        UNREADABLE
    )
    assert verdicts["pipe.yaml"]["problems"][0]["code"] == "unreadable"
    assert "\udcff.yaml" in verdicts


@pytest.mark.parametrize("name", UNREADABLE)
def test_other_files_are_checked_despite_an_unreadable_argument(oddities: Path, name: str) -> None:
    done = validate(oddities / name, oddities / "double.yaml", oddities / "ok.yaml", code=1)
    assert done.out == f"{oddities}/{name}:1:1: error {UNREADABLE[name]}\n"
    assert done.err.splitlines() == [
        "error: 1 cannot be read. (unreadable)",
        f"{oddities}/double.yaml does not exist.",
    ]


@pytest.mark.parametrize("name", ["long.yaml", "long", "long.txt"])
def test_other_files_are_checked_despite_a_link_to_an_unreadable_target(
    oddities: Path, name: str
) -> None:
    (oddities / name).symlink_to("x" * 300)
    done = validate(oddities / name, oddities / "bad.yaml", code=1)
    assert (
        f"{oddities}/{name}:1:1: error unreadable The file cannot be read: File name too long.\n"
        in done.out
    )
    assert f"{oddities}/bad.yaml:2:1: error syntax_error " in done.out


def test_other_files_are_checked_despite_arguments_that_name_nothing(oddities: Path) -> None:
    (oddities / "x.txt").write_text("")
    done = validate(oddities / "none.yaml", oddities / "bad.yaml", oddities / "x.txt", code=1)
    assert f"{oddities}/bad.yaml:2:1: error syntax_error " in done.out
    done = validate(oddities / "none.yaml", oddities / "ok.yaml", oddities / "x.txt", code=2)
    assert done.err.splitlines() == [
        f"error: {oddities}/none.yaml does not exist. (usage)",
        f"{oddities}/x.txt must end in .yaml, .yml or .json.",
    ]


def test_a_link_to_a_folder_is_followed_if_it_is_an_argument(oddities: Path, folder: Path) -> None:
    (folder / "deep" / "away").symlink_to(oddities)
    done = validate(folder / "deep", code=1)
    assert "bad.yaml" not in done.out
    assert "bad.yaml:2:1: error syntax_error " in validate(folder / "deep/away", code=1).out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_other_files_are_checked_despite_unreadable_folders(oddities: Path) -> None:
    (oddities / "secret").mkdir(mode=0)
    (oddities / "secret.yaml").touch(mode=0)
    done = validate(oddities, code=1)
    words = "error unreadable The file cannot be read: Permission denied."
    lines = {f"{oddities}/{name}:1:1: {words}" for name in ("secret", "secret.yaml")}
    assert lines <= {*done.out.splitlines()}
    assert "bad.yaml" in done.out
    named = validate(oddities / "secret.yaml", oddities / "secret", oddities / "bad.yaml", code=1)
    assert named.out.count("Permission denied") == 2
    assert "bad.yaml" in named.out


def test_control_characters_in_names_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "\x1b]0;x\x07.yaml").write_text("a: [\n")
    (tmp_path / "\x1b[2J.yaml").symlink_to("nowhere")
    done = validate(tmp_path, tmp_path / "\x1b[1m.yaml", code=1)
    assert "\x1b" not in done.out + done.err
    assert "\\x1b[2J.yaml:1:1: error unreadable" in done.out
