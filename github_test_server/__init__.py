"""A GitHub of our own for tests and the demo: GitHub's REST and GraphQL APIs over real bare git repositories.

`GitHubTestServer` serves, git's own HTTP too, `Repository` writes commits, `faults` holds what can
be made to go wrong, `webhooks` builds what GitHub would send.
"""

from github_test_server import webhooks
from github_test_server.apps import App, Installation
from github_test_server.commit_stream import Entry
from github_test_server.faults import (
    CutBody,
    Delay,
    EmptyBody,
    FlippedByte,
    GraphQLError,
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
    "App",
    "CutBody",
    "Delay",
    "EmptyBody",
    "Entry",
    "FlippedByte",
    "GitError",
    "GitHubTestServer",
    "GraphQLError",
    "HostedRepository",
    "HtmlPage",
    "Installation",
    "RecordedRequest",
    "Redirect",
    "Repository",
    "ResetBefore",
    "ResetMidBody",
    "Stall",
    "Status",
    "webhooks",
]
