"""Serve bare repositories by hand: `python -m github_test_server octo/demo=/path/to/demo.git`."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from github_test_server.repositories import Repository
from github_test_server.server import GitHubTestServer

TOKENS_VARIABLE = "GITHUB_TEST_SERVER_TOKENS"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    server = GitHubTestServer(host=options.host, port=options.port, api_path=options.api_path)
    tokens = [token for token in os.environ.get(TOKENS_VARIABLE, "").split(",") if token]
    for token in tokens:
        server.hosting.add_token(token)
    for given in options.repositories:
        name, _, path = given.partition("=")
        server.add(name, Repository(Path(path)), private_to=tokens if options.private else None)
    with server:
        sys.stdout.write(f"GitHub test server: {server.url}\n")
        sys.stdout.flush()
        _wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m github_test_server", description=__doc__)
    parser.add_argument(
        "repositories", nargs="+", metavar="OWNER/NAME=PATH", help="a bare repository to serve"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="a free one if not given")
    parser.add_argument("--api-path", default="", help="such as /api/v3")
    parser.add_argument(
        "--private",
        action="store_true",
        help=f"show the repositories only to the comma-separated tokens in {TOKENS_VARIABLE}",
    )
    return parser


def _wait() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())
