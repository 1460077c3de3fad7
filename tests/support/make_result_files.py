"""Make the files of tests/data/results again that tools write themselves.

    python tests/support/make_result_files.py TOOL PYTHON FOLDER

TOOL is `lm-eval`, `inference-perf`, `guidellm` or `llm-d`; PYTHON is the interpreter of an
environment in which that tool is installed, and FOLDER an empty one to work in. No tool needs a
GPU, a model or the internet: lm-eval has a dummy model, and the others measure the server below.
"""

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

_DATA: Final = Path(__file__).parents[1] / "data" / "results"
_OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
#: What is read of GuideLLM's metrics; the file has far more.
_GUIDELLM_METRICS: Final = (
    "request_totals",
    "requests_per_second",
    "request_concurrency",
    "request_latency",
    "prompt_token_count",
    "output_token_count",
    "time_to_first_token_ms",
    "time_per_output_token_ms",
    "inter_token_latency_ms",
    "prompt_tokens_per_second",
    "output_tokens_per_second",
    "tokens_per_second",
    "slo_attainment",
    "request_goodput",
)
_TOKENIZER: Final = """
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
words = ["[UNK]", "word", *(f"w{number}" for number in range(200))]
tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="[UNK]")
made.save_pretrained("tokenizer")
"""
_QUESTIONS: Final = [
    {"question": "2 + 2 =", "choices": ["3", "4"], "answer": 1},
    {"question": "The sky is", "choices": ["blue", "loud"], "answer": 0},
    {"question": "Water is", "choices": ["dry", "wet"], "answer": 1},
    {"question": "7 - 5 =", "choices": ["2", "5"], "answer": 0},
    {"question": "Snow is", "choices": ["white", "hot"], "answer": 0},
    {"question": "3 * 3 =", "choices": ["6", "9"], "answer": 1},
]
_TASK: Final[dict[str, Any]] = {
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": "questions.jsonl"}},
    "test_split": "test",
    "doc_to_text": "{{question}}",
}
_TASKS: Final[dict[str, dict[str, Any]]] = {
    "choice": {
        **_TASK,
        "task": "toy_choice",
        "output_type": "multiple_choice",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "metric_list": [
            {"metric": name, "aggregation": "mean", "higher_is_better": True}
            for name in ("acc", "acc_norm")
        ],
        "metadata": {"version": 1.0},
    },
    "answer": {
        **_TASK,
        "task": "toy_answer",
        "output_type": "generate_until",
        "doc_to_target": "{{choices[answer]}}",
        "generation_kwargs": {"until": ["\n"]},
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        "filter_list": [
            {"name": "strict", "filter": [{"function": "take_first"}]},
            {
                "name": "flexible",
                "filter": [{"function": "lowercase"}, {"function": "take_first"}],
            },
        ],
        "metadata": {"version": 2.0},
    },
    "group": {
        "group": "toy",
        "task": ["toy_choice", "toy_answer"],
        "aggregate_metric_list": [
            {"metric": "acc", "aggregation": "mean", "weight_by_size": True, "filter_list": "none"}
        ],
        "metadata": {"version": 1.0},
    },
}


class _ModelHandler(BaseHTTPRequestHandler):
    """An OpenAI-compatible server whose model says one word again and again."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self._answer({"object": "list", "data": [{"id": "toy", "object": "model", "root": "toy"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        count = int(asked.get("max_tokens") or asked.get("max_completion_tokens") or 8)
        prompt = str(asked.get("prompt") or asked.get("messages")).split()
        usage = {"prompt_tokens": len(prompt), "completion_tokens": count}
        usage["total_tokens"] = len(prompt) + count
        is_chat = self.path.endswith("chat/completions")
        part = {"delta": {"content": "word "}} if is_chat else {"text": "word "}
        time.sleep(0.02)
        if not asked.get("stream"):
            whole = {"message": {"content": "word " * count}} if is_chat else {"text": "word"}
            self._answer({"choices": [{"index": 0, **whole}], "usage": usage})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(count):
            self._event({"choices": [{"index": 0, **part}]})
            time.sleep(0.004)
        self._event({"choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _event(self, value: dict[str, Any]) -> None:
        event = {"id": "1", "object": "chunk", "created": 0, "model": "toy", **value}
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.wfile.flush()


def _address() -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ModelHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def _run(folder: Path, *command: str | Path) -> None:
    environment = {**_OFFLINE, "HOME": str(folder), "HF_HOME": str(folder / "hub")}
    subprocess.run(command, cwd=folder, env=environment, check=True)


def _lm_eval(python: Path, folder: Path) -> None:
    (folder / "tasks").mkdir()
    for name, task in _TASKS.items():
        # JSON is YAML.
        (folder / "tasks" / f"{name}.yaml").write_text(json.dumps(task))
    lines = (json.dumps(question) + "\n" for question in _QUESTIONS)
    (folder / "questions.jsonl").write_text("".join(lines))
    options = ("--tasks", "toy", "--include_path", "tasks", "--output_path", "out")
    _run(folder, python.parent / "lm-eval", "run", "--model", "dummy", *options)
    [made] = folder.glob("out/*/results_*.json")
    (_DATA / "lm-eval" / "results.json").write_bytes(made.read_bytes())


def _inference_perf(python: Path, folder: Path) -> None:
    _run(folder, python, "-c", _TOKENIZER)
    lengths = {"min": 8, "max": 24, "mean": 16, "std_dev": 4, "total_count": 40}
    config = {
        "api": {"type": "completion", "streaming": True},
        "server": {"type": "vllm", "base_url": _address(), "model_name": "toy", "ignore_eos": True},
        "tokenizer": {"pretrained_model_name_or_path": "tokenizer"},
        "data": {
            "type": "random",
            "input_distribution": lengths,
            "output_distribution": {**lengths, "min": 4, "max": 12, "mean": 8, "std_dev": 2},
        },
        "load": {
            "type": "constant",
            "num_workers": 1,
            "stages": [{"rate": 5, "duration": 2}, {"rate": 10, "duration": 2}],
        },
        "storage": {"local_storage": {"path": "reports"}},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    _run(folder, python.parent / "inference-perf", "--config_file", "config.yaml")
    for made in folder.glob("reports/*lifecycle_metrics.json"):
        (_DATA / "inference-perf" / made.name).write_bytes(made.read_bytes())
    stage = "inference-perf.partial.stage_1.yaml"
    (_DATA / "llm-d" / stage).write_bytes((folder / "reports" / stage).read_bytes())


def _guidellm(python: Path, folder: Path) -> None:
    _run(folder, python, "-c", _TOKENIZER)
    options = {
        "--backend": f"kind=openai_http,target={_address()},model=toy",
        "--profile": '{"kind":"constant","rate":[4,8]}',
        "--constraint": "kind=max_requests,count=6",
        "--data": "kind=synthetic_text,prompt_tokens=16,output_tokens=8",
        "--tokenizer": "kind=huggingface_auto,model=tokenizer",
    }
    _run(
        folder,
        python.parent / "guidellm",
        "run",
        *(word for pair in options.items() for word in pair),
    )
    report = json.loads((folder / "benchmarks.json").read_text())
    report["metadata"]["platform"] = "Linux"
    for output in report["config"]["spec"]["outputs"]:
        output["path"] = Path(output["path"]).name
    for benchmark in report["benchmarks"]:
        benchmark["requests"] = {status: [] for status in benchmark["requests"]}
        metrics = benchmark["metrics"].items()
        benchmark["metrics"] = {key: each for key, each in metrics if key in _GUIDELLM_METRICS}
    (_DATA / "guidellm" / "benchmarks.json").write_text(json.dumps(report) + "\n")


def _llm_d(python: Path, folder: Path) -> None:
    """Convert the stage that inference-perf measured."""
    stage = _DATA / "inference-perf" / "stage_1_lifecycle_metrics.json"
    for version, name in (("0.1", "report-v0.1.yaml"), ("0.2", "report-v0.2-in-yaml.json")):
        options = ("-f", "-w", "inference-perf", "-b", version)
        _run(
            folder,
            python,
            "-m",
            "llmd_benchmark_report.cli",
            stage,
            _DATA / "llm-d" / name,
            *options,
        )
    convert = "import sys; from llmd_benchmark_report.core import import_benchmark_report as read; "
    paths = (
        str(_DATA / "llm-d" / name) for name in ("report-v0.2-in-yaml.json", "report-v0.2.json")
    )
    _run(folder, python, "-c", convert + "read(sys.argv[1]).export_json(sys.argv[2])", *paths)


_MAKERS: Final = {
    "lm-eval": _lm_eval,
    "inference-perf": _inference_perf,
    "guidellm": _guidellm,
    "llm-d": _llm_d,
}

if __name__ == "__main__":
    _MAKERS[sys.argv[1]](Path(sys.argv[2]).absolute(), Path(sys.argv[3]).absolute())
