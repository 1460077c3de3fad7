"""The Python client of the service's HTTP API, which the command line uses too.

>>> from benchmark_manager.client import connect, shapes
>>> with connect("http://127.0.0.1:8001") as client:
...     for project in client.rows("/projects", shapes.PROJECT):
...         print(project["name"], project["sync_status"])

Paths and members are those of the OpenAPI document at `/openapi.json`. Answers are checked: a
member that a shape names is there and has its type. What fails raises a `ClientError`.

A service that requires an identity takes a token: `connect(url, token=...)`, or that of the
environment or of `benchmark-manager login`.

Importing this package needs httpx2 and platformdirs, and none of the modules that run the service.
"""

from benchmark_manager.client import shapes
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.errors import (
    ClientError,
    InvalidAddressError,
    InvalidCallError,
    RefusedError,
    ReleaseContentError,
    UnreachableError,
)
from benchmark_manager.client.results import Results
from benchmark_manager.client.sweeps import Sweeps
from benchmark_manager.client.tokens import TokenFile

__all__ = [
    "Client",
    "ClientError",
    "InvalidAddressError",
    "InvalidCallError",
    "Json",
    "RefusedError",
    "ReleaseContentError",
    "Results",
    "Sweeps",
    "TokenFile",
    "UnreachableError",
    "connect",
    "shapes",
]
