"""Manifests against Kubernetes' schemas: what is refused, in which versions, at which position."""

import time
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.kubernetes.schemas import KubernetesSchemas
from benchmark_manager.models.problem import Problem
from benchmark_manager.services.texts.kubernetes_schemas import PACKAGE, load_schemas
from support.stalls import is_within

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: bench
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: vllm
        image: vllm/vllm-openai:v0.10.0
        resources:
          limits: {nvidia.com/gpu: 4, memory: 64Gi}
"""


@pytest.fixture(scope="module")
def schemas() -> KubernetesSchemas:
    return load_schemas(PACKAGE)


def problems(text: str, schemas: KubernetesSchemas) -> list[Problem]:
    verdict = validate(text, "yaml", "job", kubernetes=schemas)
    assert verdict.validity == "valid", "Kubernetes' findings are warnings"
    return list(verdict.problems)


def positions(text: str, schemas: KubernetesSchemas) -> list[tuple[str, int | None, int | None]]:
    return [(p.code, p.line, p.column) for p in problems(text, schemas)]


def test_the_newest_version_and_two_before(schemas: KubernetesSchemas) -> None:
    major, minor, _ = kubernetes_validate.latest_version().split(".")
    assert schemas.versions == tuple(f"{major}.{int(minor) - back}" for back in range(3))


def test_a_good_job_has_no_problem(schemas: KubernetesSchemas) -> None:
    assert problems(JOB, schemas) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("spec:\n  template", "spec:\n  paralellism: 2\n  template", ("unknown_field", 6, 3)),
        ("spec:\n  template", 'spec:\n  completions: "2"\n  template', ("wrong_type", 6, 3)),
        (
            "spec:\n  template",
            "spec:\n  completions: 3000000000\n  template",
            ("wrong_value", 6, 3),
        ),
        ("      - name: vllm\n        image", "      - image", ("missing_field", 10, 9)),
        ("image: vllm/vllm-openai:v0.10.0", "image: 1.5", ("wrong_type", 11, 9)),
        ("metadata:\n", "metadata:\n  labels: {a: 1}\n", ("wrong_type", 4, 12)),
        ("batch/v1", "batch/v1beta1", ("unknown_api_version", 1, 1)),
        ("memory: 64Gi", "memory: [64]", ("wrong_type", 13, 39)),
    ],
)
def test_a_fault_is_reported_at_its_key(
    schemas: KubernetesSchemas, before: str, after: str, expected: tuple[str, int, int]
) -> None:
    assert JOB.count(before) == 1
    assert positions(JOB.replace(before, after), schemas) == [expected]


def test_values_are_read_as_kubernetes_reads_them(schemas: KubernetesSchemas) -> None:
    """`yes` is not text, `010` is eight and a number; in quotes both are text."""
    text = JOB.replace(
        "        resources",
        "        env:\n        - {name: A, value: yes}\n        - {name: B, value: 010}\n"
        "        resources",
    )
    found = [p.message for p in problems(text, schemas) if p.code == "wrong_type"]
    assert found == [
        "spec.template.spec.containers[0].env[0].value must be text, not true.",
        "spec.template.spec.containers[0].env[1].value must be text, not a whole number (8).",
    ]
    assert problems(text.replace("yes", '"yes"').replace("010", '"010"'), schemas) == []


def test_a_message_names_the_versions_it_is_true_for() -> None:
    """A field of the newest version is unknown only in the older two."""
    older: dict[str, Any] = {
        "Job": {
            "type": "object",
            "properties": {"apiVersion": {}, "kind": {}},
            "additionalProperties": False,
            "x-kubernetes-group-version-kind": [{"group": "batch", "version": "v1", "kind": "Job"}],
        }
    }
    newer = {"Job": {**older["Job"], "properties": {**older["Job"]["properties"], "fresh": {}}}}
    schemas = KubernetesSchemas({"1.9": newer, "1.8": older, "1.7": older})
    job = {"apiVersion": "batch/v1", "kind": "Job", "fresh": 1, "stale": 2}
    assert {path: message for path, _, message in schemas.violations(job, 5)} == {
        ("fresh",): "The document has no field fresh. (Kubernetes 1.8, 1.7; not 1.9)",
        ("stale",): "The document has no field stale.",
    }


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nwhatever: 1\n",
        "apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nwhatever: 1\n",
        "apiVersion: example.com/v1\nkind: Unheard\nx: 1\n",
        "kind: [Job]\napiVersion: {}\n",
        "kind: Job2\n",
    ],
)
def test_custom_resources_are_not_checked(schemas: KubernetesSchemas, text: str) -> None:
    assert problems(text, schemas) == []


def test_top_level_keys_for_anchors_are_not_checked(schemas: KubernetesSchemas) -> None:
    assert problems(JOB.replace("metadata:", "x-labels: &labels {a: b}\nmetadata:"), schemas) == []


def test_every_document_is_checked_by_its_own_kind(schemas: KubernetesSchemas) -> None:
    text = f"{JOB}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndat: {{}}\n"
    text += "---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: [{port: x}]}\n"
    assert positions(text, schemas) == [("unknown_field", 18, 1), ("wrong_type", 23, 17)]


def test_problems_of_an_aliased_value_are_reported_at_the_alias(schemas: KubernetesSchemas) -> None:
    text = JOB.replace("metadata:\n", "metadata:\n  annotations: &a {x: 1}\n  labels: *a\n")
    assert positions(text, schemas) == [("wrong_type", 4, 20), ("wrong_type", 5, 3)]


def test_one_fault_is_one_warning(schemas: KubernetesSchemas) -> None:
    """The schema refuses the number too, and says less about it."""
    assert positions(JOB.replace("name: bench", "name: 5"), schemas) == [("job_name_invalid", 4, 3)]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"spec": {"parallelism": "x"}},
        {"spec": {"template": {"spec": {"containers": [{}]}}}},
        {
            "spec": {
                "template": {
                    "spec": {"containers": [{"name": "a", "ports": [{"containerPort": "x"}]}]}
                }
            }
        },
        {"metadata": {"labels": {"a": 1}}},
        {"status": {"active": 1}},
        {"unknown": 1},
    ],
)
def test_verdicts_agree_with_the_package_s_own_check(
    schemas: KubernetesSchemas, change: dict[str, Any]
) -> None:
    manifest = {**yaml.safe_load(JOB), **change}
    try:
        kubernetes_validate.validate(manifest, schemas.versions[0], strict=True)
        accepted = True
    except kubernetes_validate.ValidationError:
        accepted = False
    assert (schemas.violations(manifest, 50) == []) is accepted


def test_what_a_schema_allows_as_null_may_be_null(schemas: KubernetesSchemas) -> None:
    """Kubernetes decodes null as nothing; the package's own `oneOf` would refuse it."""
    text = JOB.replace("memory: 64Gi", "memory: null")
    assert problems(text, schemas) == []


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    member=st.sampled_from(["metadata", "spec", "kind", "apiVersion", "template", "containers"]),
    value=_JSON,
)
def test_any_value_in_any_field_gets_a_verdict(
    schemas: KubernetesSchemas, member: str, value: Any
) -> None:
    manifest: dict[str, Any] = yaml.safe_load(JOB)
    spec = manifest["spec"]
    parents = {"template": spec, "containers": spec["template"]["spec"]}
    parents.get(member, manifest)[member] = value
    text = yaml.safe_dump(manifest, allow_unicode=False)
    assert validate(text, "yaml", "job", kubernetes=schemas).validity in {
        "valid",
        "template",
        "invalid",
    }


@pytest.mark.parametrize(
    "text",
    [
        "---\nkind: Job\napiVersion: batch/v1\nx: 1\n" * 2_500,
        "kind: Pod\napiVersion: v1\nspec:\n  containers:\n" + "  - {x: 1}\n" * 20_000,
        "kind: Pod\napiVersion: v1\nspec: " + "{a: " * 190 + "1" + "}" * 190,
        "kind: ConfigMap\napiVersion: v1\ndata:\n" + "".join(f"  k{n}: 1\n" for n in range(15_000)),
        "kind: Job\napiVersion: batch/v1\nmetadata:\n  labels:\n"
        + "".join(f"    k {n}: v v\n" for n in range(15_000)),
    ],
    ids=["documents", "containers", "deep", "values", "labels"],
)
def test_hostile_manifests_take_bounded_time(schemas: KubernetesSchemas, text: str) -> None:
    """Real times are below half a second."""
    started = time.process_time()
    assert 0 < len(problems(text, schemas)) <= 100
    assert is_within(time.process_time() - started, 4)


def test_endless_aliases_are_not_expanded(schemas: KubernetesSchemas) -> None:
    lines = ["kind: Pod", "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 6)]
    assert [p.code for p in problems("\n".join(lines), schemas)] == ["manifest_too_large"]


@pytest.mark.parametrize(
    ("api_version", "kind", "meant"),
    [
        ("batch/v1", "Cronjob", "CronJob"),
        ("batch/v1", "Jobs", "Job"),
        ("apps/v1", "deployment", "Deployment"),
        ("apps/v1", "Statefulsets", "StatefulSet"),
        ("v1", "Configmap", "ConfigMap"),
        ("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    ],
)
def test_a_misspelt_kind_is_reported_with_the_right_one(
    api_version: str, kind: str, meant: str, schemas: KubernetesSchemas
) -> None:
    [problem] = problems(
        f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n", schemas
    )
    assert (problem.code, problem.line, problem.message) == (
        "not_a_job",
        2,
        f"Kubernetes has no kind {kind}; write {meant}.",
    )


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("example.com/v1", "deployment"),
        ("v1", "Cronjob"),
        ("batch/v1", "Work"),
        ("batch/${V}", "Jobs"),
    ],
)
def test_an_unknown_kind_may_be_a_custom_resource(
    api_version: str, kind: str, schemas: KubernetesSchemas
) -> None:
    assert (
        problems(f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n", schemas) == []
    )
