"""A GitHub of our own for tests and the demo: GitHub's REST API over real bare git repositories.

`GitHubTestServer` serves, `Repository` writes commits, `faults` holds what can be made to go wrong.
"""

from github_test_server.commit_stream import Entry
from github_test_server.faults import (
    CutBody,
    Delay,
    EmptyBody,
    FlippedByte,
    HtmlPage,
    Redirect,
    ResetBefore,
    ResetMidBody,
    Stall,
    Status,
)
from github_test_server.git import GitError
from github_test_server.hosting import HostedRepository
from github_test_server.recording import RecordedRequest
from github_test_server.repositories import Repository
from github_test_server.server import GitHubTestServer

__all__ = [
    "CutBody",
    "Delay",
    "EmptyBody",
    "Entry",
    "FlippedByte",
    "GitError",
    "GitHubTestServer",
    "HostedRepository",
    "HtmlPage",
    "RecordedRequest",
    "Redirect",
    "Repository",
    "ResetBefore",
    "ResetMidBody",
    "Stall",
    "Status",
]
