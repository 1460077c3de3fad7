"""Measure a toy engine with the settings of one file, and write a result file."""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmark_manager.demo.measuring.load import Load, MeasuredLoad, send
from benchmark_manager.demo.measuring.settings import EngineSettings
from benchmark_manager.demo.measuring.statistics import metrics_of

_ABOUT: Final = (
    "Measured on the demo's toy engine, which sleeps instead of computing. The numbers say nothing "
    "about vLLM or a GPU."
)


def main() -> None:
    """Start an engine, send it a load, and write what came out."""
    arguments = _parser().parse_args()
    load = Load(arguments.requests, arguments.concurrency, arguments.seed)
    with _engine(arguments.config) as url:
        measured = asyncio.run(send(url, load))
    arguments.output.write_text(_result_file(arguments.config, load, measured), "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmark_manager.demo.measuring", description=_ABOUT
    )
    parser.add_argument("config", type=Path, help="a file with the settings of an engine")
    parser.add_argument("--output", type=Path, required=True, help="the result file to write")
    parser.add_argument("--requests", type=int, default=48)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0, help="of the requests' lengths")
    return parser


@contextmanager
def _engine(config: Path) -> Iterator[str]:
    """Yield the address of an engine in a process of its own."""
    command = [sys.executable, "-m", "benchmark_manager.demo.measuring.server", str(config)]
    with subprocess.Popen(  # noqa: S603 -- our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 -- for mypy
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise SystemExit(f"The toy engine did not start with {config}.")
            yield address
        finally:
            process.kill()


def _result_file(config: Path, load: Load, measured: MeasuredLoad) -> str:
    return json.dumps(
        {
            "about": _ABOUT,
            "engine": asdict(EngineSettings.read(config)),
            "load": asdict(load),
            "metrics": metrics_of(measured),
        },
        indent=2,
    )


if __name__ == "__main__":
    main()
