"""GET /docs: Swagger UI with assets of an installed package, as it must work without internet."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any, Final

import fastapi_offline
from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from benchmark_manager.api.http.identification import is_open
from benchmark_manager.api.http.problems import MEDIA_TYPE
from benchmark_manager.incoming import OPEN, root_path

_ASSETS: Final = "/docs/assets"
_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
#: As strict as the pages' own, except for Swagger UI's inline script and the pictures in its style
#: sheet.
_SECURITY_SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "bmt_… or JWT",
        "description": "An API token of `POST /tokens`, or a signed token that a rule of "
        "`/federation` accepts. With `AUTH=open` none is needed.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "bm_session",
        "description": "The session of a browser that signed in (`__Host-bm_session` where the "
        "service is reached by https). Changes need the service's own `Origin`.",
    },
}
_POLICY: Final = (
    "default-src 'self'; script-src 'self' {script}; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def install_docs(app: FastAPI) -> None:
    """Add the page and its assets, and describe errors as the problem documents that they are."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        for path, item in document["paths"].items():
            for method, operation in item.items():
                _only_problems(operation["responses"])
                if is_open(method.upper(), path):
                    operation["security"] = []
        document["components"]["securitySchemes"] = _SECURITY_SCHEMES
        document["security"] = [{name: []} for name in _SECURITY_SCHEMES]
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document
    folder = Path(fastapi_offline.__file__).parent / "static"
    app.mount(_ASSETS, StaticFiles(directory=folder), name="docs-assets")

    # Relative to /docs, so that the page is the same below every root path, and so is the hash of
    # its script.
    assets = _ASSETS.removeprefix("/")
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=app.title,
        swagger_js_url=f"{assets}/swagger-ui-bundle.js",
        swagger_css_url=f"{assets}/swagger-ui.css",
        swagger_favicon_url=f"{assets}/favicon.png",
    )
    body = bytes(page.body)
    policy = _POLICY.format(script=_hash_of_script(body))

    # Not a coroutine: it runs in a thread, as writing the description takes half a second, once.
    @app.get("/openapi.json", include_in_schema=False, dependencies=[OPEN])
    def description(request: Request) -> Response:
        root = root_path(request.scope)
        return JSONResponse(
            {**app.openapi(), "servers": [{"url": root}]} if root else app.openapi()
        )

    @app.get("/docs", include_in_schema=False, dependencies=[OPEN])
    async def docs() -> Response:
        return Response(body, media_type="text/html", headers={"Content-Security-Policy": policy})


def _hash_of_script(page: bytes) -> str:
    """Return the source expression that allows the page's one inline script (CSP 3, 2.3.1)."""
    [script] = _SCRIPT.findall(page)
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"


def _only_problems(responses: dict[str, dict[str, Any]]) -> None:
    """Drop what no route answers: FastAPI's own form of a 422, and errors as plain JSON."""
    for status, response in list(responses.items()):
        content = response.get("content", {})
        if MEDIA_TYPE in content:
            response["content"] = {MEDIA_TYPE: content[MEDIA_TYPE]}
        elif "HTTPValidationError" in str(content):
            del responses[status]
