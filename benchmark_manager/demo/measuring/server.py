"""The toy engine over HTTP, in a process of its own: `POST /v1/completions`, as of OpenAI's API.

It prints its address, and ends when its standard input does, so that it never outlives what started
it.
"""

import asyncio
import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Final

import uvicorn

from benchmark_manager.demo.measuring.engine import ToyEngine
from benchmark_manager.demo.measuring.settings import EngineSettings

_TOKEN: Final = b'data: {"choices": [{"index": 0, "text": " toy"}]}\n\n'
_END: Final = b"data: [DONE]\n\n"
_HEADERS: Final = [(b"content-type", b"text/event-stream")]


class Completions:
    """The ASGI application; each word of a prompt is a token, and each token an event."""

    def __init__(self, engine: ToyEngine) -> None:
        self._engine = engine
        self._steps: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI
        if self._steps is None:
            self._steps = asyncio.create_task(self._engine.run())
        if scope["method"] == "POST" and scope["path"] == "/v1/completions":
            question = json.loads(await _body(receive))
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            words = len(question["prompt"].split())
            async for _ in self._engine.answer(words, question["max_tokens"]):
                await send({"type": "http.response.body", "body": _TOKEN, "more_body": True})
            await send({"type": "http.response.body", "body": _END})
        else:
            await send({"type": "http.response.start", "status": 404})
            await send({"type": "http.response.body"})


async def _body(receive: Any) -> bytes:  # noqa: ANN401 -- ASGI
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    return body


def serve(file: Path) -> None:
    """Serve an engine with the settings of a file on a free port of this machine."""
    application = Completions(ToyEngine(EngineSettings.read(file)))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(application, log_level="warning", lifespan="off", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
