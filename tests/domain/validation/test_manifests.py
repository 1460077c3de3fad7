"""Objects in Lists, and parts of manifests, as patches are."""

import pytest

from benchmark_manager.domain.sync.classification import type_by_content
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.kubernetes.kustomizations import (
    is_patch,
    kustomizations_above,
)
from benchmark_manager.domain.validation.kubernetes.schemas import KubernetesSchemas
from benchmark_manager.services.texts.kubernetes_schemas import PACKAGE, load_schemas

POD = "{restartPolicy: Never, containers: [{name: c, image: i}]}"
ITEM = (
    "{apiVersion: batch/v1, kind: Job, metadata: {name: run}, "
    f"spec: {{template: {{spec: {POD}}}}}}}"
)
LIST = f"apiVersion: v1\nkind: List\nitems:\n- {ITEM}\n- {ITEM}\n"
JOB_LIST = (
    "apiVersion: batch/v1\nkind: JobList\nitems:\n- metadata: {name: run}\n"
    f"  spec: {{template: {{spec: {POD}}}}}\n"
)


@pytest.fixture(scope="module")
def schemas() -> KubernetesSchemas:
    return load_schemas(PACKAGE)


def found(text: str, schemas: KubernetesSchemas) -> list[tuple[str, int | None]]:
    verdict = validate(text, "yaml", "job", kubernetes=schemas)
    assert verdict.validity == "valid"
    return [(p.code, p.line) for p in verdict.problems]


@pytest.mark.parametrize(
    "text",
    [
        LIST,
        JOB_LIST,
        "apiVersion: v1\nkind: List\nitems: []\n",
        f"apiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: List, items: [{ITEM}]}}\n",
        "apiVersion: example.com/v1\nkind: AllowList\nspec: {items: [1]}\n",
        "apiVersion: v1\nkind: List\nitems:\n- 5\n- [a]\n",
    ],
)
def test_good_lists_have_no_problem(text: str, schemas: KubernetesSchemas) -> None:
    assert found(text, schemas) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            LIST[: LIST.rindex("image: i")]
            + LIST[LIST.rindex("image: i") :].replace("image: i", "x: 1"),
            5,
        ),
        (JOB_LIST.replace("image: i", "image: ''"), 5),
    ],
)
def test_an_item_is_checked_like_a_document(
    text: str, expected: int, schemas: KubernetesSchemas
) -> None:
    assert ("image_missing", expected) in found(text, schemas)


def test_a_misspelt_field_in_a_list_is_reported_at_its_line(schemas: KubernetesSchemas) -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1\n  kind: Job\n"
        "  metadata:\n    name: Run_1\n"
        f"  spec:\n    paralellism: 2\n    template: {{spec: {POD}}}\n"
    )
    assert found(text, schemas) == [("job_name_invalid", 7), ("unknown_field", 9)]


@pytest.mark.parametrize("text", [LIST, JOB_LIST])
def test_a_list_of_jobs_is_a_job_file(text: str) -> None:
    assert type_by_content(text) == "job"


@pytest.mark.parametrize(
    "text",
    [
        "kind: List\nitems: [{kind: ConfigMap}, {x: {kind: Job}}, [{kind: Job}]]\n",
        "kind: ServiceList\nitems: [{x: 1}]\n",
        "kind: Tasks\nitems: [{kind: Job}]\n",
        "items: [{kind: Job}]\n",
    ],
)
def test_a_list_of_other_objects_is_not_a_job_file(text: str) -> None:
    assert type_by_content(text) == "config"


PATCH = """\
apiVersion: {api}
kind: {kind}
metadata: {{name: a}}
spec:
  {spec}
"""
WHOLE = f"template: {{spec: {POD}}}"
CONTAINER = (
    "template: {spec: {containers: "
    "[{name: a, args: [-v], volumeMounts: [{name: v, mountPath: /v}]}]}}"
)


def patch(api: str, kind: str, spec: str) -> str:
    return PATCH.format(api=api, kind=kind, spec=spec)


@pytest.mark.parametrize(
    "text",
    [
        patch("apps/v1", "Deployment", "replicas: 3"),
        patch("apps/v1", "Deployment", CONTAINER),
        patch("apps/v1", "StatefulSet", CONTAINER),
        patch("apps/v1", "DaemonSet", "template: {spec: {nodeSelector: {a: b}}}"),
        patch(
            "apps/v1",
            "Deployment",
            "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a}]}}",
        ),
        patch("apps/v1", "Deployment", "template: {spec: {containers: [{name: a, image: b}]}}"),
        patch("batch/v1", "Job", CONTAINER),
        patch("batch/v1", "Job", "parallelism: 3"),
        patch("batch/v1", "CronJob", "suspend: true"),
        patch("autoscaling/v2", "HorizontalPodAutoscaler", "maxReplicas: 3"),
        "$patch: delete\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
        patch("v1", "Pod", "containers: [{name: a, $patch: delete}]"),
        patch("v1", "Pod", "$setElementOrder/containers: [{name: a}]\n  containers: [{name: a}]"),
        "- op: add\n  path: /spec/replicas\n  value: 3\n",
    ],
)
def test_what_a_patch_lacks_is_not_missing(text: str, schemas: KubernetesSchemas) -> None:
    assert found(text, schemas) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (patch("batch/v1", "Job", WHOLE).replace(", image: i", ""), "image_missing"),
        (
            patch("batch/v1", "Job", WHOLE).replace("restartPolicy: Never, ", ""),
            "job_restart_policy",
        ),
        (patch("batch/v1", "Job", WHOLE).replace("image: i", "imgae: i"), "image_missing"),
        (patch("batch/v1", "Job", CONTAINER).replace("args", "arg"), "image_missing"),
        (
            patch("batch/v1", "Job", CONTAINER).replace("{name: a}\n", "{generateName: a}\n"),
            "image_missing",
        ),
        (patch("batch/v1", "Job", "templates: {}"), "missing_field"),
        (patch("apps/v1", "Deployment", f"selector: {{}}\n  {CONTAINER}"), "image_missing"),
        (patch("v1", "Pod", "containers: [{name: a}]"), "image_missing"),
        (patch("apps/v1", "Deployment", CONTAINER.replace("name: a", "name: A_b")), "name_invalid"),
        (patch("apps/v1", "Deployment", "replicas: three"), "wrong_type"),
    ],
)
def test_what_is_plainly_wrong_is_reported(
    text: str, code: str, schemas: KubernetesSchemas
) -> None:
    assert code in {found_code for found_code, _ in found(text, schemas)}


def test_kustomizations_of_a_file_are_those_in_its_folder_and_above() -> None:
    paths = {
        "k8s/a/kustomization.yaml",
        "kustomization.yml",
        "k8s/b/kustomization.yaml",
        "k8s/a/p/x.yaml",
    }
    assert kustomizations_above("k8s/a/p/x.yaml", paths) == {
        "k8s/a/kustomization.yaml",
        "kustomization.yml",
    }


@pytest.mark.parametrize(
    "text",
    [
        "patches:\n- path: p/x.yaml\n",
        "patches:\n- {path: ./p/../p/x.yaml, target: {kind: Job}}\n",
        "patchesStrategicMerge: [other.yaml, p/x.yaml]\n",
        "patchesJson6902: [{path: ../a/p/x.yaml}]\n",
    ],
)
def test_a_kustomization_names_a_patch(text: str) -> None:
    assert is_patch("k8s/a/p/x.yaml", {"k8s/a/kustomization.yaml": text})


@pytest.mark.parametrize(
    "text",
    [
        "resources: [p/x.yaml]\n",
        "patches: [{path: x.yaml}]\n",
        "patches: p/x.yaml\n",
        "patches: [{path: [p/x.yaml]}, 5]\n",
        "patchesStrategicMerge: ['p/x.yaml\n\n']\n",
        "patches: [{path: p/x.yaml}\n",
        "{{ x }}: [{path: p/x.yaml}]\n",
    ],
)
def test_a_kustomization_names_no_patch(text: str) -> None:
    assert not is_patch("k8s/a/p/x.yaml", {"k8s/a/kustomization.yaml": text})
    assert not is_patch("k8s/a/p/x.yaml", {"k8s/a/values.yaml": "patches: [{path: p/x.yaml}]\n"})
