"""Requests about modified files that the service may refuse."""

from typing import Any

import httpx2 as httpx

from support.service import Json, Service


async def send_variant(service: Service, original: Json, **fields: Any) -> httpx.Response:
    """Ask for a new modified file of this original, and return the answer, whatever it is."""
    path = f"/projects/{original['project_id']}/modified-files"
    return await service.http.post(path, json={"original_file_id": original["id"], **fields})
