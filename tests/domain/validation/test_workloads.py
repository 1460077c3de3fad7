"""What the API server refuses and no schema says: each rule once kept and once broken."""

import pytest

from benchmark_manager.domain.validation import validate

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: bench
  labels: {app: bench, example.com/run: "1"}
spec:
  backoffLimit: 0
  template:
    metadata:
      labels: {app: bench}
    spec:
      restartPolicy: Never
      volumes:
      - {name: data, emptyDir: {sizeLimit: 1Gi}}
      initContainers:
      - {name: fetch, image: busybox}
      containers:
      - name: run
        image: vllm
        env:
        - {name: MODE, value: a}
        volumeMounts:
        - {name: data, mountPath: /data}
        resources:
          requests: {cpu: 500m, memory: 32Gi, nvidia.com/gpu: 4}
          limits: {cpu: 2, memory: 64Gi, nvidia.com/gpu: 4}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: vllm}
spec:
  selector: {matchLabels: {app: vllm}}
  template:
    metadata: {labels: {app: vllm}}
    spec:
      containers: [{name: a, image: b}]
"""


def found(text: str) -> list[tuple[str, int | None]]:
    verdict = validate(text, "yaml", "job")
    assert verdict.validity == "valid"
    return [(p.code, p.line) for p in verdict.problems if p.code != "not_a_job"]


def test_good_workloads_have_no_problem() -> None:
    assert found(JOB) == []
    assert found(DEPLOYMENT) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("restartPolicy: Never", "restartPolicy: Always", ("job_restart_policy", 12)),
        ("restartPolicy: Never", "restartPolicy: Sometimes", ("job_restart_policy", 12)),
        ("      restartPolicy: Never\n", "", ("job_restart_policy", 11)),
        ("        image: vllm\n", "", ("image_missing", 18)),
        ("        image: vllm\n", "        image: ''\n", ("image_missing", 19)),
        ("name: bench\n  l", "name: Bench\n  l", ("job_name_invalid", 4)),
        ("name: bench\n  l", f"name: {'a' * 64}\n  l", ("job_name_invalid", 4)),
        ("name: run", "name: run_1", ("name_invalid", 18)),
        (
            "name: data, emptyDir",
            "name: data, x: 1}\n      - {name: Data, emptyDir",
            ("name_invalid", 15),
        ),
        ("app: bench, ex", "app: 'a b', ex", ("label_invalid", 5)),
        ("app: bench, ex", f"app: {'a' * 64}, ex", ("label_invalid", 5)),
        ("example.com/run", "example.com/a/run", ("label_invalid", 5)),
        ("example.com/run", "Example/run", ("label_invalid", 5)),
        ("labels: {app: bench}", "labels: {app: -x}", ("label_invalid", 10)),
        ("memory: 64Gi", "memory: 64 gigs", ("quantity_invalid", 26)),
        ("memory: 32Gi", "memory: -32Gi", ("quantity_invalid", 25)),
        ("sizeLimit: 1Gi", "sizeLimit: 1GB", ("quantity_invalid", 14)),
        ("memory: 32Gi", "memory: 65Gi", ("request_over_limit", 25)),
        ("cpu: 500m", "cpu: 2001m", ("request_over_limit", 25)),
        ("gpu: 4}\n          limits", "gpu: 2}\n          limits", ("extended_resource", 25)),
        (
            ", nvidia.com/gpu: 4}\n          limits: {cpu: 2, memory: 64Gi",
            "}\n          limits: {cpu: 2, memory: 64Gi",
            None,
        ),
        ("memory: 64Gi, nvidia.com/gpu: 4", "memory: 64Gi", ("extended_resource", 25)),
        ("name: data, mountPath", "name: dta, mountPath", ("volume_missing", 23)),
        ("{name: fetch", "{name: run", ("duplicate_name", 18)),
        ("volumes:\n", "volumes:\n      - {name: data}\n", ("duplicate_name", 15)),
        ("env:\n", "env:\n        - {name: MODE, value: b}\n", ("duplicate_env", 22)),
        (
            "volumeMounts:\n",
            "volumeMounts:\n        - {name: data, mountPath: /data}\n",
            ("duplicate_mount_path", 24),
        ),
        ("backoffLimit: 0", "backoffLimit: -1", ("negative_number", 7)),
        ("backoffLimit: 0", "parallelism: -3", ("negative_number", 7)),
    ],
)
def test_a_broken_rule_is_reported_once_at_its_position(
    before: str, after: str, expected: tuple[str, int] | None
) -> None:
    assert JOB.count(before) == 1
    assert found(JOB.replace(before, after)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "      containers",
            "      restartPolicy: Never\n      containers",
            [("restart_policy", 9)],
        ),
        ("matchLabels: {app: vllm}", "matchLabels: {app: other}", [("selector_mismatch", 5)]),
        ("{name: vllm}", "{name: v_llm}", [("name_invalid", 3)]),
        ("{name: vllm}", "{name: vllm, namespace: a.b}", [("name_invalid", 3)]),
        ("image: b", "image: b, volumeMounts: [{name: w, mountPath: /}]", [("volume_missing", 9)]),
    ],
)
def test_servers_have_rules_of_their_own(
    before: str, after: str, expected: list[tuple[str, int]]
) -> None:
    assert DEPLOYMENT.count(before) == 1
    assert found(DEPLOYMENT.replace(before, after)) == expected


def test_a_cron_job_is_checked_like_its_job() -> None:
    text = (
        f"apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: {'a' * 53}}}\nspec:\n"
        "  jobTemplate:\n    spec:\n"
        "      backoffLimit: -1\n      template:\n        spec: {containers: [{name: a}]}\n"
    )
    assert found(text) == [
        ("name_invalid", 3),
        ("negative_number", 7),
        ("job_restart_policy", 9),
        ("image_missing", 9),
    ]


def test_claim_templates_are_volumes() -> None:
    text = (
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n"
        "  volumeClaimTemplates:\n"
        "  - metadata: {name: data}\n  template:\n    spec:\n      containers:\n"
        "      - {name: a, image: b, volumeMounts: [{name: data, mountPath: /d}]}\n"
    )
    assert found(text) == []


def test_a_claim_s_storage_is_a_quantity() -> None:
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n"
    text = f"{claim}spec: {{resources: {{requests: {{storage: 1TB}}}}}}\n"
    assert found(text) == [("quantity_invalid", 4)]


def test_names_of_roles_need_not_be_dns_names() -> None:
    text = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
        "metadata: {name: 'system:Reader_1'}\n"
    )
    assert found(text) == []


@pytest.mark.parametrize(
    "value", ["x", "[]", "[1, [2]]", "{}", "null", "{a: {b: c}}", "[{name: []}]", "1.5"]
)
@pytest.mark.parametrize(
    "member",
    [
        "metadata",
        "labels",
        "spec",
        "template",
        "volumes",
        "containers",
        "env",
        "volumeMounts",
        "requests",
    ],
)
def test_only_the_schema_reports_wrong_types(member: str, value: str) -> None:
    """Our own rules accept values of any type in any field."""
    lines = JOB.splitlines()
    at = next(n for n, line in enumerate(lines) if line.strip().startswith(f"{member}:"))
    indent = len(lines[at]) - len(lines[at].lstrip())
    end = next(
        (
            n
            for n in range(at + 1, len(lines))
            if len(lines[n]) - len(lines[n].lstrip("- ")) <= indent
        ),
        len(lines),
    )
    text = "\n".join([*lines[:at], f"{' ' * indent}{member}: {value}", *lines[end:]])
    assert validate(text, "yaml", "job").validity == "valid"
