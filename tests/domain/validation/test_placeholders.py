"""Which values are filled in later."""

import pytest

from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.across import check_across
from benchmark_manager.domain.validation.kubernetes.schemas import KubernetesSchemas
from benchmark_manager.domain.validation.texts.placeholders import (
    holds_placeholder,
    value_holds_placeholder,
)
from benchmark_manager.services.texts.kubernetes_schemas import PACKAGE, load_schemas

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: run-${RUN_ID}
  labels: {app: "{{ .Release.Name }}"}
spec:
  parallelism: ${N}
  completionMode: $(MODE)
  suspend: "{{ .Values.suspend }}"
  template:
    spec:
      restartPolicy: ${RESTART}
      activeDeadlineSeconds: <seconds>
      volumes:
      - name: ${VOLUME}
        emptyDir: {sizeLimit: "${SIZE}Gi"}
      containers:
      - name: c-$(N)
        image: img:1
        env:
        - {name: "${A}", value: one}
        - {name: "${A}", value: two}
        volumeMounts:
        - {name: data, mountPath: /data}
        resources:
          requests: {memory: "{{ .Values.memory }}", nvidia.com/gpu: 4}
          limits: {cpu: <your-cpus>, nvidia.com/gpu: "${GPUS}"}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: "${NAME}"}
spec:
  selector: {matchLabels: {app: vllm}}
  template:
    metadata: {labels: {app: "${NAME}"}}
    spec:
      containers: [{name: a, image: b}]
"""


@pytest.mark.parametrize(
    "text",
    [
        *("${N}", "run-${RUN_ID}", "${N:-4}", "$N", "run-$N-x", "$(N)", "$$(N)", "${{ env.N }}"),
        *(
            "{{ .Release.Name }}",
            "{{x}}-job",
            "{% if x %}a{% endif %}",
            "<your-token>",
            "<YOUR_HF_TOKEN>",
            "<name>",
        ),
    ],
)
def test_placeholder(text: str) -> None:
    assert holds_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "run-1",
            "64 gigs",
            "a$",
            "$1",
            "100$",
            "${N",
            "$(N",
            "N)",
            "{{ x",
            "x }}",
            "{x}",
            "}} {{",
        ),
        *("$schema", "$ref", "$patch"),
        *("a < b > c", "<1>", "<>", "a<b", "<a=1>", "1<x\n>"),
    ],
)
def test_no_placeholder(text: str) -> None:
    assert not holds_placeholder(text)


@pytest.mark.parametrize("text", ["$name", "run-$name", "${N}", "$schema"])
def test_lower_case_names_are_placeholders_in_values(text: str) -> None:
    assert value_holds_placeholder(text)


@pytest.mark.parametrize("text", ["100$", "$1", "a$", "run-1"])
def test_no_placeholder_in_a_value(text: str) -> None:
    assert not value_holds_placeholder(text)


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
        JOB,
        DEPLOYMENT,
        DEPLOYMENT.replace("{app: vllm}", "{app: $(APP)}"),
        (
            'apiVersion: v1\nkind: Service\nmetadata:\n  name: "{{ .Release.Name }}"\nspec:\n'
            "  ports: [{port: 80}]\n"
        ),
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  "{{ .key }}": 5\n',
        "apiVersion: ${GROUP}\nkind: Job\n",
        JOB.replace("run-${RUN_ID}", "run-$run")
        .replace("${N}", "$n")
        .replace("${VOLUME}", "$volume"),
        DEPLOYMENT.replace("${NAME}", "$name"),
        "apiVersion: batch/${VERSION}\nkind: ConfigMap\n",
    ],
)
def test_a_value_that_is_filled_in_later_is_not_checked(
    text: str, schemas: KubernetesSchemas
) -> None:
    assert found(text, schemas) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("img:1", "''", [("image_missing", 19)]),
        ("parallelism: ${N}", "parallelism: four", [("wrong_type", 7)]),
        ("parallelism:", "paralellism:", [("unknown_field", 7)]),
        ("name: run-${RUN_ID}", "name: Run_1", [("job_name_invalid", 4)]),
        ("{app:", '{"$schema": d, app:', [("label_invalid", 5)]),
        ('"${SIZE}Gi"', "5 gigs", [("quantity_invalid", 16)]),
        ("- name: ${VOLUME}", "- name: other", [("volume_missing", 24)]),
        ('"${GPUS}"', "8", [("extended_resource", 26)]),
        ("{app:", '{"b c": d, app:', [("label_invalid", 5)]),
    ],
)
def test_other_values_are_still_checked(
    before: str, after: str, expected: list[tuple[str, int]], schemas: KubernetesSchemas
) -> None:
    assert before in JOB
    assert found(JOB.replace(before, after, 1), schemas) == expected


def test_settings_are_checked_by_their_schema_except_placeholders() -> None:
    schema = '{"properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}'
    text = "# yaml-language-server: $schema=/s.json\na: ${N}\nb: n\n"
    problems = check_across(text, "a.yaml", "yaml", "config", {"s.json": schema})
    assert [(p.code, p.line) for p in problems] == [("schema_violation", 3)]
