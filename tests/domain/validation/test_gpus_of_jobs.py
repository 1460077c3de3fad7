"""Checks across files: the GPUs of a Job against the settings that it names."""

import json
import time

import pytest

from benchmark_manager.domain.validation.across import check_across, references
from benchmark_manager.models.problem import Problem
from support.stalls import is_within

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: bench}
spec:
  parallelism: 1
  template:
    spec:
      restartPolicy: Never
      volumes:
      - {name: settings, configMap: {name: s, items: [{key: mapped.yaml, path: x}]}}
      containers:
      - name: client
        image: b
        args: [--config, tp8.yaml]
      - name: server
        image: b
        command: [sh, -c, "serve --config=/etc/vllm/tp8.yaml --port 80"]
        env: [{name: MODE, value: fast}]
        volumeMounts: [{name: settings, mountPath: /etc}]
        resources: {limits: {nvidia.com/gpu: 4}}
"""


TP8 = "tensor_parallel_size: 8\n"


def gpus(text: str, others: dict[str, str]) -> list[Problem]:
    wanted = references(text, "job/run.yaml", "yaml", "job", {*others, "job/run.yaml"})
    found = check_across(
        text, "job/run.yaml", "yaml", "job", {path: others[path] for path in wanted}, paths=others
    )
    assert {(p.severity, p.code) for p in found} <= {
        ("warning", "gpu_mismatch"),
        ("warning", "more_problems"),
    }
    return list(found)


def test_a_job_with_fewer_gpus_than_its_settings_need() -> None:
    [problem] = gpus(JOB, {"config/vllm/tp8.yaml": TP8})
    assert (problem.line, problem.column) == (20, 30)
    assert problem.message == (
        "job/run.yaml gives the container 4 GPUs, but config/vllm/tp8.yaml needs 8 "
        "(tensor_parallel_size 8)."
    )


@pytest.mark.parametrize(
    "settings",
    [
        "tensor_parallel_size: 4\n",
        "server: {tensor-parallel-size: 2, pipeline-parallel-size: 2}\n",
        "model: x\n",
        "tensor_parallel_size: auto\n",
        "tensor_parallel_size: 2\ndata_parallel_size: 2\n",
        "tensor_parallel_size: 8\nnnodes: 2\n",
        "tensor_parallel_size: 8\ndistributed-executor-backend: ray\n",
        "tensor_parallel_size: 8\ntensor-parallel-size: 8\n",
        "tensor_parallel_size: ${TP}\n",
        "data_parallel_size: 8\n",
        "a: {tensor_parallel_size: 8}\nb: {tensor_parallel_size: 2}\n",
        "prefill: {tensor_parallel_size: 8}\ndecode: {tensor_parallel_size: 8}\n",
        "tensor_parallel_size: 8\nn_engines: 2\n",
        "prefill: {tensor_parallel_size: 8}\ndecode: {port: 80}\n",
        "server: {tensor_parallel_size: 8}\nscale: {num_replicas: 2}\n",
        "server: {tensor_parallel_size: 8}\nreplicas: ${N}\n",
        "server: {tensor_parallel_size: 8}\ndata_parallel: 2\n",
        "tensor_parallel_size: 8\nextra_args: --data-parallel-size=2\n",
        "tensor_parallel_size: {{ tp }}\n",
    ],
)
def test_settings_that_fit_or_are_unclear_have_no_problem(settings: str) -> None:
    assert gpus(JOB, {"config/vllm/tp8.yaml": settings}) == []


def test_pods_may_have_the_needed_gpus_together() -> None:
    assert gpus(JOB.replace("parallelism: 1", "parallelism: 2"), {"config/tp8.yaml": TP8}) == []
    assert len(gpus(JOB.replace("parallelism: 1", "parallelism: 3"), {"config/tp8.yaml": TP8})) == 1


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        ({"config/tp8.yaml"}, {"config/tp8.yaml"}),
        ({"config/vllm/tp8.yaml", "config/sglang/tp8.yaml"}, {"config/vllm/tp8.yaml"}),
        ({"config/a/tp8.yaml", "config/b/tp8.yaml"}, set()),
        ({"config/mapped.yaml", "config/tp8.yml"}, {"config/mapped.yaml"}),
        ({"config/x.yaml", "job/run.yaml"}, set()),
    ],
)
def test_files_are_named_by_path_by_name_and_by_mounted_keys(
    paths: set[str], named: set[str]
) -> None:
    assert references(JOB, "job/run.yaml", "yaml", "job", paths) == named


def test_a_name_that_fits_two_files_is_ambiguous() -> None:
    """Even if another Job in the file names one of the two by its full path."""
    text = f"{JOB}---\n{JOB.replace('/etc/vllm/tp8.yaml', 'tp8.yaml')}"
    others = {"config/vllm/tp8.yaml": TP8, "config/sglang/tp8.yaml": TP8}
    assert [p.line for p in gpus(text, others)] == [20]


def test_a_manifest_that_names_too_many_files_is_not_compared() -> None:
    head, _, server = JOB.partition("      - name: server")
    containers = (
        f"      - name: s{n}{server}".replace("tp8.yaml", f"tp{n}.yaml") for n in range(40)
    )
    paths = {f"config/tp{n}.yaml" for n in range(40)}
    assert (
        references(head + "".join(containers), "job/run.yaml", "yaml", "job", paths) == frozenset()
    )


def test_many_containers_and_many_files_take_bounded_time() -> None:
    text = f"{JOB}---\n" * 400
    others = {f"config/{n}/tp8.yaml": TP8 for n in range(20_000)} | {
        "vllm/tp8.yaml": TP8 + "#" * 500_000
    }
    started = time.thread_time()
    assert len(gpus(text, others)) == 100
    assert is_within(time.thread_time() - started, 4)


def test_settings_of_a_container_without_gpus_are_not_read() -> None:
    """It may be a client that names the settings of a server elsewhere."""
    assert (
        references(
            JOB.replace("nvidia.com/gpu", "cpu"), "job/run.yaml", "yaml", "job", {"tp8.yaml"}
        )
        == frozenset()
    )


FAULTY = {"config/llama.yaml": "model: x\ntensor_parallel_size: 4\n"}


def server(arguments: str, *more: str, gpus: int = 8) -> str:
    """A Job whose only container has these arguments, in JSON, and more members."""
    members = "".join(f"        {line}\n" for line in more)
    container = f"      - name: c\n        image: i\n        args: {arguments}\n{members}"
    limits = f"        resources: {{limits: {{nvidia.com/gpu: {gpus}}}}}\n"
    return JOB.partition("      volumes:")[0] + "      containers:\n" + container + limits


def serve(*arguments: str) -> str:
    return json.dumps(["serve", "--config", "/cfg/llama.yaml", *arguments])


def script(options: str, before: str = "") -> str:
    return json.dumps(["sh", "-c", f"{before}vllm serve --config /cfg/llama.yaml {options}"])


def env(**variables: str) -> str:
    return (
        f"env: {json.dumps([{'name': name, 'value': value} for name, value in variables.items()])}"
    )


@pytest.mark.parametrize(
    "text",
    [
        server(serve("--tensor-parallel-size", "8")),
        server(serve("--tensor-parallel-size=8")),
        server(serve("--tensor_parallel_size", "8")),
        server(serve("-tp", "8")),
        server(serve("-tp=8")),
        server(serve("--data-parallel-size", "2")),
        server(serve("-dp", "2")),
        server(serve("--pipeline-parallel-size", "2")),
        server(serve("-pp", "2", "-tp", "2", "-dp", "2")),
        server(serve("-tp", "$(TP)"), env(TP="8")),
        server(serve("--tensor-parallel-size=$(TP)"), env(TP="8")),
        server(script("--tensor-parallel-size 8")),
        server(script("\\\n  -tp 8 \\\n  --port 80")),
        server(script("-tp ${TP}"), env(TP="8")),
        server(script('-tp "$TP"'), env(TP="8")),
        server(script("$VLLM_ARGS"), env(VLLM_ARGS="-tp 8 --port 80")),
        server(serve(), env(TENSOR_PARALLEL_SIZE="8")),
        server(serve(), env(EXTRA_ARGS="--data-parallel-size=2")),
        server(serve("-tp", "8"), env(TENSOR_PARALLEL_SIZE="2")),
    ],
)
def test_a_container_s_own_arguments_override_the_file(text: str) -> None:
    assert gpus(text, FAULTY) == []


@pytest.mark.parametrize(
    "text",
    [
        server(serve("-tp", "$(TP)")),
        server(serve("-tp", "${TP}")),
        server(serve("--tensor-parallel-size={{ tp }}")),
        server(serve("-tp", "$(TP)"), "env: [{name: TP, valueFrom: {fieldRef: {fieldPath: a}}}]"),
        server(serve(), "envFrom: [{configMapRef: {name: a}}]"),
        server(serve(), env(CUDA_VISIBLE_DEVICES="0,1,2,3")),
        server(script("", "export CUDA_VISIBLE_DEVICES=0,1,2,3; ")),
        server(script("", "ray start --head; ")),
        server(serve("--nnodes", "2")),
        server(serve("--data-parallel-size-local", "1")),
        server(serve("--tp-size", "2")),
        server(serve("--distributed-executor-backend", "ray")),
        server(script("-tp 4 & vllm serve other -tp 4")),
        server(script("& vllm serve other")),
        server(script("", "for n in 1 2; do ")),
        server(script("-tp $TP", "TP=$(nproc); "), env(TP="8")),
        server(script("$EXTRA_ARGS")),
        server(script('"$@"')),
        server(script("$(cat /options)")),
        server(serve("--also", "other.yaml")),
        server(serve("tensor_parallel_size=4")),
        server(serve("engine.tensor_parallel_size=4")),
        server(serve("+tensor_parallel_size=4")),
        server(serve("--set", "tensor_parallel_size=4")),
        server(serve("--engine.tensor-parallel-size", "4")),
        server(serve("--set", "tp=4")),
        server(serve("--gpus", "4")),
        server(serve("--replica-count=2")),
        server(serve("--num-devices", "4")),
        server(serve(), env(N_ENGINES="2")),
        server(serve(), env(HIP_VISIBLE_DEVICES="0,1")),
        server(script("", "cp /a/b.yaml /cfg/llama.yaml; ")),
        server(script("", "curl -o /cfg/llama.yaml localhost; ")),
        server(serve("--override", '{"tensor_parallel_size": 4}')),
        server(serve("--override", '{"tensor_parallel_size":4}')),
        server(serve(), env(SETTINGS='{"tensor_parallel_size": 4}')),
        server(serve(), env(TENSOR_PARALLEL="4")),
        server(serve(), env(NUM_GPUS="4")),
        server(serve(), env(TP="4")),
        server(serve(), "env: [{name: GPU_COUNT, valueFrom: {fieldRef: {fieldPath: a}}}]"),
        server(serve(), "envFrom: [{secretRef: {name: a}}]"),
        server(
            script("", "sed -i s/tensor-parallel-size:.*/tensor-parallel-size:4/ /cfg/llama.yaml; ")
        ),
        server(script("", "yq -i .port=1 /cfg/llama.yaml; ")),
        server(script("", "cat /a > /cfg/llama.yaml; ")),
        server(script("", "echo run it with -tp 2; ")),
        server(json.dumps(["sh", "-c", "vllm bench serve --config /cfg/llama.yaml"])),
        server(json.dumps(["bench", "serve", "--config", "/cfg/llama.yaml"])),
        server(json.dumps(["sh", "-c", "# uses llama.yaml\nvllm serve m # llama.yaml"])),
    ],
)
def test_an_unclear_number_of_gpus_is_not_reported(text: str) -> None:
    assert gpus(text, {**FAULTY, "config/other.yaml": "tensor_parallel_size: 2\n"}) == []


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        (server(serve()), "needs 4 (tensor_parallel_size 4)"),
        (server(serve("--port", "80", "$(MODEL)")), "needs 4 (tensor_parallel_size 4)"),
        (
            server(script("--gpu-memory-utilization 0.9", "echo starting\n")),
            "needs 4 (tensor_parallel_size 4)",
        ),
        (
            server(serve("--device", "cuda", "--port", "80"), env(GPU_TYPE="a")),
            "needs 4 (tensor_parallel_size 4)",
        ),
        (
            server(serve("-tp", "$(TENSOR_PARALLEL)"), env(TENSOR_PARALLEL="2")),
            "need 2 (tensor_parallel_size 2)",
        ),
        (
            server(serve("-tp", "2")),
            "and its own arguments or variables need 2 (tensor_parallel_size 2)",
        ),
        (
            server(script("-dp 4"), env(MODE="fast")),
            "need 16 (tensor_parallel_size 4 times data_parallel_size 4)",
        ),
        (
            server(serve("-pp", "$(PP)"), env(PP="4")),
            "need 16 (tensor_parallel_size 4 times pipeline_parallel_size 4)",
        ),
    ],
)
def test_a_clearly_different_number_of_gpus_is_reported(text: str, needed: str) -> None:
    [problem] = gpus(text, FAULTY)
    assert problem.message.startswith(
        "job/run.yaml gives the container 8 GPUs, but config/llama.yaml "
    )
    assert problem.message.endswith(f"{needed}.")


def test_pods_with_several_gpu_containers_are_not_compared() -> None:
    text = server(serve())
    container = text[text.index("      - name: c") :]
    assert gpus(text + container.replace("name: c", "name: d"), FAULTY) == []


def test_a_job_in_a_list_is_compared_too() -> None:
    item = "".join(f"  {line}\n" for line in server(serve()).splitlines())
    [problem] = gpus(f"apiVersion: v1\nkind: List\nitems:\n-{item[1:]}", FAULTY)
    assert problem.line == 16


def test_json_settings_are_compared_too() -> None:
    job = JOB.replace("tp8.yaml --", "tp8.json --")
    [problem] = gpus(
        job,
        {"config/tp8.json": '{"engine": {"tensor_parallel_size": 8, "pipeline_parallel_size": 2}}'},
    )
    assert "needs 16 (tensor_parallel_size 8 times pipeline_parallel_size 2)" in problem.message


def test_two_settings_files_that_disagree_are_ambiguous() -> None:
    assert (
        gpus(JOB, {"config/tp8.yaml": TP8, "config/mapped.yaml": "tensor_parallel_size: 4\n"}) == []
    )
