"""A server that answers like GitHub, for tests and the demo.

It serves GitHub's REST and GraphQL APIs, and git over HTTP, from real bare git repositories.
`GitHubTestServer` serves, `Repository` writes commits, `faults` are the failures that a test can
plan, `webhooks` builds what GitHub would send.
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
from github_test_server.oauth import Person
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
    "Person",
    "RecordedRequest",
    "Redirect",
    "Repository",
    "ResetBefore",
    "ResetMidBody",
    "Stall",
    "Status",
    "webhooks",
]
