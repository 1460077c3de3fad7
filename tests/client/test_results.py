"""The client's methods for results, against a running service."""

import asyncio
import json
from typing import Any

import pytest

from benchmark_manager.client import Client, RefusedError, Results
from support.events import listening
from support.service import Service
from support.swept import FILES, swept_project


def life_of_a_result(url: str, project_id: str, digest: str) -> dict[str, Any]:
    """Call every method once, as a user's program does."""
    with Client(url) as client:
        results = Results(client)
        receipt = results.add_receipt(digest, {"digest": digest, "node": "gpu-7"})
        data = json.dumps({"metrics": {"ttft_p99": 12, "a, b": 3}}).encode()
        labels = {"gpu": "H100", "größe": "1=2"}
        result = results.upload(digest, data, "r.json", labels=labels, receipt=receipt["id"])
        again, is_new = results.uploaded(digest[:20], data, "r.json")
        updated = results.update(result["id"], note="cold", revision=result["revision"])
        with pytest.raises(RefusedError, match="revision"):
            results.update(result["id"], labels={}, revision=result["revision"])
        table = results.table(project_id, releases=[digest], metrics=["ttft_p99", "a, b"])
        lines = results.table_csv(project_id, metrics=["a, b"]).decode().splitlines()
        with results.raw(result["id"]) as body:
            raw = b"".join(body.pieces)
        listed = list(results.of_project(project_id, labels=labels, tool="plain"))
        none = list(results.of_project(project_id, labels={"gpu": "A100"}))
        results.delete(result["id"])
        deleted = list(results.of_project(project_id, deleted=True))
        return {
            "again": (again["id"] == result["id"], is_new),
            "receipt": (results.receipt(receipt["id"])["node"], result["receipt"]["status"]),
            "labels": result["labels"] == labels,
            "note": (updated["note"], updated["labels"] == labels),
            "columns": [column["name"] for column in table["columns"]["metrics"]],
            "median": table["rows"][0]["metrics"]["a, b"]["median"],
            "csv": len(lines),
            "raw": raw == data,
            "listed": [one["id"] == result["id"] for one in listed],
            "none": none,
            "deleted": [one["id"] == result["id"] for one in deleted],
            "restored": results.undelete(result["id"])["id"] == result["id"],
            "read": results.get(result["id"])["note"],
            "tools": [results.update(result["id"], tool=tool)["tool"] for tool in ("vllm", "")],
        }


async def test_a_program_uploads_reads_changes_and_deletes_a_result(service: Service) -> None:
    project = await swept_project(service)
    release = await service.post(f"{project.home}/releases", {}, 201)
    assert release["files_count"] == len(FILES)
    async with listening(service.app) as http:
        url = str(http.base_url)
        found = await asyncio.to_thread(life_of_a_result, url, project.id, release["digest"])
    assert found == {
        "again": (True, False),
        "receipt": ("gpu-7", "verified"),
        "labels": True,
        "note": ("cold", True),
        "columns": ["ttft_p99", "a, b"],
        "median": 3,
        "csv": 2,
        "raw": True,
        "listed": [True],
        "none": [],
        "deleted": [True],
        "restored": True,
        "read": "cold",
        "tools": ["vllm", "plain"],
    }
