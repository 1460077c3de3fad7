"""The largest files are read within the limits of a worker process."""

import json
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from benchmark_manager.services.results.text_work import read_result
from benchmark_manager.workers.pool import Limits, WorkerPool
from support.result_files import codes_of, file_bytes, values_of
from support.service import text_workers

#: The default of MAX_RESULT_SIZE.
_LARGEST: Final = 16 * 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def workers() -> AsyncIterator[WorkerPool]:
    """Worker processes with the service's limits of CPU time and memory, for which tests wait."""
    pool = text_workers(Limits(wait=90))
    yield pool
    await pool.close()


def _filled(head: bytes, item: bytes, tail: bytes) -> bytes:
    """Return a file of the largest size with so many items between head and tail."""
    return head + item * ((_LARGEST - len(head) - len(tail)) // len(item)) + tail


def _detailed() -> bytes:
    """A result of vLLM with the time of every token and all texts."""
    head = file_bytes("vllm/serve.json").rstrip()[:-1] + b', "generated_texts": ['
    texts = json.dumps("가나다 {[" * 300, ensure_ascii=False).encode() + b","
    half = head + texts * (_LARGEST // 2 // len(texts)) + b'""], "itls": ['
    return _filled(half, b"[" + b"0.012345678901, " * 200 + b"0.1],", b"[]]}")


async def test_a_result_with_every_request_is_read(workers: WorkerPool) -> None:
    found = await workers.run(read_result, _detailed(), "serve.json", None)
    assert values_of(found) == values_of(read_result(file_bytes("vllm/serve.json"), "", None))


async def test_a_report_with_every_request_is_read(workers: WorkerPool) -> None:
    head, _, tail = file_bytes("guidellm/benchmarks.json").partition(b'"successful": []')
    request = json.dumps({f"field{number}": {"tokens": number} for number in range(40)}).encode()
    data = _filled(head + b'"successful": [', request + b",", b"{}]" + tail)
    found = await workers.run(read_result, data, "benchmarks.json", None)
    assert found == read_result(file_bytes("guidellm/benchmarks.json"), "", None)


@pytest.mark.parametrize(
    ("head", "item", "tail", "codes"),
    [
        pytest.param(b"", b"[", b"", ["too_complex"], id="opened lists"),
        pytest.param(b"[", b"[],", b"[]]", ["too_complex"], id="lists"),
        pytest.param(b"[", b'"",', b'""]', ["too_complex"], id="texts"),
        pytest.param(
            b'{"metrics":{', b'"name":1234567890,', b'"a":1}}', ["too_complex"], id="members"
        ),
        pytest.param(b'{"a":"', b'\\"', b"", ["cut_file"], id="escapes"),
        pytest.param(b'{"a":"', b"\\", b"", ["cut_file"], id="backslashes"),
        pytest.param(b'{"metrics":{"a":', b"9", b"}}", ["not_finite", "no_metrics"], id="digits"),
        pytest.param(b"", b" ", b"", ["empty_file"], id="blanks"),
        pytest.param(b"", b"INFO a line: [{\n", b"", [], id="log"),
    ],
)
async def test_a_hostile_file_is_answered(
    workers: WorkerPool, head: bytes, item: bytes, tail: bytes, codes: list[str]
) -> None:
    found = await workers.run(read_result, _filled(head, item, tail), "x.json", None)
    assert codes_of(found) == codes
