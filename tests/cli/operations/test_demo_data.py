"""The demo's sample repository is realistic and valid, and survives git and packaging."""

import json
import re
from pathlib import Path, PurePosixPath

import kubernetes_validate
import pytest
import yaml

from benchmark_manager.demo import first_commit, sample_sweep, second_commit
from benchmark_manager.domain.edits import Assignment, EditableText
from benchmark_manager.domain.sweeps.cells import planned_cells
from benchmark_manager.domain.sweeps.definition import read_definition
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from benchmark_manager.models.sweep import PlannedCell

ROOT = Path(__file__).parents[3]
FIRST = first_commit()
SECOND = second_commit()
AFTER = {path: data for path, data in (FIRST | SECOND).items() if data is not None}
TEMPLATE = "config/vllm/serve-args.template.yaml"
WINDOWS = "config/gpu/h100-8x-node.yml"


def paths(ending: str, folder: str = "") -> list[str]:
    return [path for path in AFTER if path.startswith(folder) and path.endswith(ending)]


def test_first_commit_is_the_folder_byte_for_byte() -> None:
    folder = ROOT / "benchmark_manager/demo/sample_repository"
    on_disk = {
        each.relative_to(folder).as_posix(): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }
    assert on_disk == FIRST


def test_the_sample_is_large_enough() -> None:
    folders = [PurePosixPath(path).parts[0] for path in FIRST]
    assert folders.count("config") >= 9
    assert folders.count("job") >= 4
    assert set(folders) == {"README.md", "config", "job"}
    assert {PurePosixPath(path).suffix for path in FIRST} == {".json", ".md", ".yaml", ".yml"}


@pytest.mark.parametrize("path", paths(".json"))
def test_json_parses(path: str) -> None:
    assert isinstance(json.loads(AFTER[path]), dict)


@pytest.mark.parametrize(
    "path", [path for path in [*paths(".yaml"), *paths(".yml")] if path != TEMPLATE]
)
def test_yaml_parses(path: str) -> None:
    assert all(isinstance(document, dict) for document in yaml.safe_load_all(AFTER[path]))


def test_template_parses_only_once_rendered() -> None:
    text = AFTER[TEMPLATE].decode()
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(text)
    rendered = re.sub(r"\{\{ (\w+) \}\}", r"\1", re.sub(r"\{%.*?%\}\n", "", text))
    assert yaml.safe_load(rendered)["model"] == "model"


def test_anchors_resolve() -> None:
    profiles = yaml.safe_load(AFTER["config/vllm/engine-defaults.yaml"])["profiles"]
    assert profiles["throughput-fp8-kv"]["dtype"] == profiles["latency"]["dtype"] == "bfloat16"


def test_windows_line_ends_survive() -> None:
    data = FIRST[WINDOWS]
    assert data.count(b"\r\n") == data.count(b"\n") > 5
    assert not [path for path in AFTER if path != WINDOWS and b"\r" in AFTER[path]]


def test_git_leaves_the_line_ends_alone() -> None:
    attributes = (ROOT / ".gitattributes").read_text("utf-8").splitlines()
    folders = ("sample_repository", "sample_changes")
    assert {f"/benchmark_manager/demo/{folder}/** -text" for folder in folders} <= {*attributes}


@pytest.mark.parametrize("path", paths(".yaml", "job/"))
def test_jobs_fit_the_schemas_of_kubernetes(path: str) -> None:
    documents = list(yaml.safe_load_all(AFTER[path]))
    assert {"Job", "CronJob"} & {document["kind"] for document in documents}
    for document in documents:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_a_job_asks_for_gpus_and_every_image_has_a_tag() -> None:
    text = b"\n".join(AFTER[path] for path in paths(".yaml", "job/")).decode()
    assert "nvidia.com/gpu: " in text
    images = re.findall(r"image: (\S+)", text)
    assert images
    assert all(
        re.fullmatch(r"\S+:[\w.-]+", image) and not image.endswith(":latest") for image in images
    )


def test_second_commit_shows_every_kind_of_change() -> None:
    deleted = {path for path, data in SECOND.items() if data is None}
    written = {path: data for path, data in SECOND.items() if data is not None}
    moved = {path for path in deleted if FIRST[path] in written.values()}
    assert deleted - moved == {"config/lm-eval/mmlu-smoke.yaml"}
    assert moved == {"config/slo/batch (overnight).json"}
    assert written.keys() & FIRST.keys() == {"config/vllm/llama-3.1-8b.yaml"}
    assert written.keys() - FIRST.keys() == {
        "config/vllm/mistral-small-24b.yaml",
        "config/slo/batch-overnight.json",
    }


def test_second_commit_raises_one_setting() -> None:
    path = "config/vllm/llama-3.1-8b.yaml"
    before, after = (yaml.safe_load(commit[path]) for commit in (FIRST, AFTER))
    assert after["engine"].pop("max_num_seqs") > before["engine"].pop("max_num_seqs")
    assert after["engine"] == before["engine"]


def test_the_sample_s_sweep_has_all_parts() -> None:
    definition = read_definition(read_yaml(sample_sweep(), "sweep"))
    cells = planned_cells(definition).cells
    assert [tuple(cell.assignments.values()) for cell in cells] == [
        *((128, "one GPU"), (128, "two GPUs"), (256, "one GPU"), (256, "two GPUs")),
        *((512, "two GPUs"), (1024, "two GPUs")),
    ]


@pytest.mark.parametrize("commit", [FIRST, AFTER], ids=["first commit", "second commit"])
def test_the_cells_of_the_sample_s_sweep_differ(commit: dict[str, bytes]) -> None:
    definition = read_definition(read_yaml(sample_sweep(), "sweep"))
    cells = planned_cells(definition).cells
    texts = {
        file.alias: EditableText.read(commit[str(file.path)].decode(), "yaml")
        for file in definition.files
    }
    assert len({_edited(texts, cell) for cell in cells}) == len(cells)


def _edited(texts: dict[str, EditableText], cell: PlannedCell) -> tuple[str, ...]:
    settings = [(each.target, each.value) for each in cell.settings]
    return tuple(
        text.edited([Assignment(to.path, value) for to, value in settings if to.alias == alias])
        for alias, text in texts.items()
    )


def test_configs_name_data_sets_that_exist() -> None:
    models = [
        yaml.safe_load(AFTER[path]) for path in paths(".yaml", "config/vllm/") if path != TEMPLATE
    ]
    named = {each["benchmark"]["dataset"] for each in models if "benchmark" in each}
    assert named
    assert {f"config/{name}" for name in named} <= AFTER.keys()
