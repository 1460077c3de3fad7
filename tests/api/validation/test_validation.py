"""POST /validate: the verdict on a content that is not saved, and its service."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark_manager.services.texts import kubernetes_schemas
from benchmark_manager.services.texts.kubernetes_schemas import PACKAGE
from benchmark_manager.services.texts.schema_source import SchemaSource
from benchmark_manager.services.texts.text_work import why_no_schemas
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.workers.pool import WorkerPool
from support.principals import stranger
from support.problems import assert_problem, fields_at_fault
from support.service import Json, Service

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: bench}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: vllm
        image: vllm
        args: [--config, /etc/tp8.yaml]
        resources: {limits: {nvidia.com/gpu: 4}}
"""


async def check(
    service: Service, name: str, content: str, file_type: str = "config", **fields: Any
) -> Json:
    return await service.post(
        "/validate", {"name": name, "content": content, "file_type": file_type, **fields}, 200
    )


async def test_a_good_config(reading: Service) -> None:
    assert await check(reading, "a.yaml", "model: llama\n") == {
        "name": "a.yaml",
        "format": "yaml",
        "file_type": "config",
        "validity": "valid",
        "problems": [],
        "kubernetes": {
            "enabled": False,
            "versions": [],
            "reason": "Only YAML files of type job are checked as manifests.",
        },
    }


@pytest.mark.parametrize(
    ("name", "content", "file_type", "validity", "codes"),
    [
        ("a.yaml", "a: 1\na: 2\n", "config", "invalid", ["duplicate_key"]),
        ("A.YML", "a: x {{ y }}\n", "config", "template", ["template"]),
        ("a.json", '{"a": NaN}', "config", "invalid", ["syntax_error"]),
        ("folder/job.yaml", JOB, "job", "valid", []),
        ("job.yaml", JOB.replace("Never", "Always"), "job", "valid", ["job_restart_policy"]),
        (
            "job.yaml",
            JOB.replace("image:", "imag:"),
            "job",
            "valid",
            ["image_missing", "unknown_field"],
        ),
        ("a.yaml", "", "config", "valid", ["empty"]),
    ],
    ids=[
        *("a key twice", "a template", "no number of JSON", "a Job", "a restart policy"),
        *("an unknown field", "nothing"),
    ],
)
async def test_a_verdict_has_a_validity_and_the_problems(
    reading: Service, name: str, content: str, file_type: str, validity: str, codes: list[str]
) -> None:
    found = await check(reading, name, content, file_type)
    assert (found["validity"], [p["code"] for p in found["problems"]]) == (validity, codes)


async def test_a_manifest_is_checked_against_three_versions(reading: Service) -> None:
    kubernetes = (await check(reading, "job.yaml", JOB, "job"))["kubernetes"]
    assert (kubernetes["enabled"], kubernetes["reason"]) == (True, None)
    assert len(kubernetes["versions"]) == 3


@pytest.mark.parametrize("content", ["a: [", "a: {{ x }}\n"], ids=["no YAML", "a template"])
async def test_what_is_no_manifest_is_checked_against_no_version(
    reading: Service, content: str
) -> None:
    kubernetes = (await check(reading, "job.yaml", content, "job"))["kubernetes"]
    assert (kubernetes["enabled"], kubernetes["versions"]) == (False, [])
    assert kubernetes["reason"]


async def test_nothing_is_saved(service: Service, files: dict[str, bytes]) -> None:
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    before = await service.files(project["id"])
    await check(service, "a.yaml", "b: 2\n", project_id=project["id"], path="config/a.yaml")
    assert await service.files(project["id"]) == before
    assert await service.rows(f"/projects/{project['id']}/modified-files") == []


@pytest.mark.parametrize("name", ["a.txt", "yaml", "a.yaml.gz", "a.yaml/"])
async def test_a_name_without_a_format_is_refused(reading: Service, name: str) -> None:
    answer = await reading.http.post(
        "/validate", json={"name": name, "content": "", "file_type": "config"}
    )
    assert_problem(answer, 422, "invalid_name")


async def test_a_content_over_the_limit_is_refused(reading: Service) -> None:
    body = {"name": "a.yaml", "content": "ü" * (512 * 1024) + "x", "file_type": "config"}
    assert_problem(await reading.http.post("/validate", json=body), 422, "too_large")
    assert (await check(reading, "a.yaml", "#" + "x" * (1024 * 1024 - 1)))["validity"] == "valid"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"content": None}, "content"),
        ({"content": "\ud800"}, "content"),
        ({"file_type": "other"}, "file_type"),
        ({"project_id": "65f0c0ffee65f0c0ffee65f0"}, "body"),
        ({"path": "config/a.yaml"}, "body"),
        ({"nmae": 1}, "nmae"),
    ],
    ids=[
        *("an empty name", "no name", "no content", "half a surrogate pair", "an unknown type"),
        *("a project without a path", "a path without a project", "an unknown field"),
    ],
)
async def test_a_request_without_sense_is_refused(
    reading: Service, change: Json, field: str
) -> None:
    body = json.dumps({"name": "a.yaml", "content": "a: 1\n", "file_type": "config", **change})
    answer = await reading.http.post(
        "/validate", content=body, headers={"Content-Type": "application/json"}
    )
    assert fields_at_fault(answer) == {field}


@pytest.mark.parametrize("project_id", ["65f0c0ffee65f0c0ffee65f0", "x"])
async def test_an_unknown_project_is_a_404(reading: Service, project_id: str) -> None:
    body = {
        "name": "a.yaml",
        "content": "a: 1\n",
        "file_type": "config",
        "project_id": project_id,
        "path": "a",
    }
    assert_problem(await reading.http.post("/validate", json=body), 404, "project_not_found")


async def test_the_project_s_files_are_the_others(service: Service) -> None:
    """A Job against the settings that it names, settings against their schema, by their paths."""
    schema = json.dumps({"required": ["model"]}).encode()
    files = {
        "config/tp8.yaml": b"tensor_parallel_size: 8\n",
        "config/schema.json": schema,
        "job/run.yaml": JOB.encode(),
    }
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    scope = {"project_id": project["id"]}
    found = await check(service, "run.yaml", JOB, "job", **scope, path="job/run.yaml")
    assert [(p["code"], p["line"]) for p in found["problems"]] == [("gpu_mismatch", 12)]
    text = "$schema: schema.json\na: 1\n"
    found = await check(service, "new.yaml", text, **scope, path="/config/new.yaml")
    assert [(p["code"], p["line"]) for p in found["problems"]] == [("schema_violation", 1)]
    found = await check(service, "new.yaml", text, **scope, path="config/deep/new.yaml")
    assert [p["code"] for p in found["problems"]] == ["schema_not_found"]


async def test_a_file_that_a_kustomization_names_as_a_patch_lacks_nothing(service: Service) -> None:
    """Only with its path in the project: the text alone is that of a Pod without an image."""
    files = {
        "config/a.yaml": b"a: 1\n",
        "job/kustomization.yaml": b"patches: [{path: patches/pod.yaml}]\n",
        "job/patches/pod.yaml": b"",
    }
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: Run_1}\nspec: {containers: [{name: c}]}\n"
    scope = {"project_id": project["id"]}
    found = await check(service, "pod.yaml", text, "job", **scope, path="job/patches/pod.yaml")
    assert [p["code"] for p in found["problems"]] == ["name_invalid"]
    found = await check(service, "pod.yaml", text, "job", **scope, path="job/pod.yaml")
    assert [p["code"] for p in found["problems"]] == ["name_invalid", "image_missing"]


def service_of(source: SchemaSource, pool: WorkerPool) -> ValidationService:
    """The service without a database, which judging a content alone does not ask."""
    nothing: Any = None
    return ValidationService(pool, source, nothing, nothing, nothing, max_file_size=1024)


async def test_a_content_is_judged_once_for_each_way_to_read_it(workers: WorkerPool) -> None:
    service = service_of(SchemaSource(), workers)
    before = workers.figures.answered
    for _ in range(3):
        await service.validate("a: 1\n", "yaml", "config")
        await service.validate("ü: {", "yaml", None)
    assert workers.figures.answered - before == 2
    await service.validate("a: 1\n", "json", "config")
    assert workers.figures.answered - before == 3


async def test_old_verdicts_are_forgotten(workers: WorkerPool) -> None:
    service = service_of(SchemaSource(), workers)
    for number in range(1_001):
        await service.validate(f"a: {number}\n", "yaml", "config")
    before = workers.figures.answered
    await service.validate("a: 1000\n", "yaml", "config")
    assert workers.figures.answered == before
    await service.validate("a: 0\n", "yaml", "config")
    assert workers.figures.answered == before + 1


async def test_even_text_which_no_file_can_hold_has_a_verdict(workers: WorkerPool) -> None:
    assert (
        await service_of(SchemaSource(), workers).validate("a: \ud800", "yaml", "job")
    ).validity == "invalid"


async def test_without_the_package_our_own_rules_remain(
    caplog: pytest.LogCaptureFixture, workers: WorkerPool
) -> None:
    # Commands that ran in this process before may have raised the level.
    caplog.set_level("WARNING")
    source = SchemaSource("no_such_package")
    assert source.versions == ()
    assert source.missing == "The package kubernetes-validate is not installed."
    service = service_of(source, workers)
    text = JOB.replace("Never", "Always").replace("image:", "imag:")
    codes = [p.code for p in (await service.validate(text, "yaml", "job")).problems]
    assert codes == ["job_restart_policy", "image_missing"]
    await service.validate(JOB, "yaml", "job")
    assert caplog.text.count("manifests are not checked against Kubernetes' schemas") == 1


async def test_an_answer_says_that_the_package_is_missing(workers: WorkerPool) -> None:
    checked = await service_of(SchemaSource("no_such_package"), workers).check(
        stranger(), "a.yaml", JOB, "job", None
    )
    assert checked.kubernetes.versions == ()
    assert checked.kubernetes.reason == "The package kubernetes-validate is not installed."


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"$defs": {"a": 1}}'])
def test_a_damaged_package_is_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    name = f"damaged_{abs(hash(content))}"
    folder = tmp_path / name / "kubernetes-json-schema" / "v1.99.0-local-strict"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (folder / "_definitions.json").write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    assert SchemaSource(name).versions == ("1.99",)
    assert why_no_schemas(name) is not None


def test_an_empty_package_is_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert (
        SchemaSource("hollow").missing
        == "The package kubernetes-validate has no schemas in the expected folder."
    )


def test_the_package_is_never_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own code would load a second validator."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        monkeypatch.delitem(sys.modules, name)
    kubernetes_schemas.load_schemas.cache_clear()
    assert why_no_schemas(PACKAGE) is None
    assert PACKAGE not in sys.modules
