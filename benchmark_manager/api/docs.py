"""GET /docs: Swagger UI, whose assets come from an installed package, so that it works without internet access."""

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles

from benchmark_manager.api.problems import MEDIA_TYPE

_ASSETS = "/docs/assets"


def install_docs(app: FastAPI) -> None:
    """Add the page and its assets; the description under it says of errors what they are."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        for item in document["paths"].values():
            for operation in item.values():
                _only_problems(operation["responses"])
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document
    folder = Path(fastapi_offline.__file__).parent / "static"
    app.mount(_ASSETS, StaticFiles(directory=folder), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{_ASSETS}/favicon.png",
        )


def _only_problems(responses: dict[str, dict[str, Any]]) -> None:
    """Drop what FastAPI describes and no route answers: its own form of a 422, and errors as plain JSON."""
    for status, response in list(responses.items()):
        content = response.get("content", {})
        if MEDIA_TYPE in content:
            response["content"] = {MEDIA_TYPE: content[MEDIA_TYPE]}
        elif "HTTPValidationError" in str(content):
            del responses[status]
