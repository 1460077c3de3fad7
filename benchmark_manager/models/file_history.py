"""The upstream history of an original file."""

from datetime import datetime

from pydantic import Field

from benchmark_manager.models.record import Record


class FileCommit(Record):
    """One commit that changed a file upstream."""

    sha: str = Field(examples=["3f786850e387550fdab836ed7e6dc881de23001b"])
    author: str = Field(
        description="The git author's name; may be empty.", examples=["Ada Lovelace"]
    )
    date: datetime = Field(description="The committer date.")
    message: str = Field(
        description="The whole message.", examples=["Raise the batch size\n\nThroughput first."]
    )
    link: str = Field(
        description="The commit's page at GitHub.",
        examples=[
            "https://github.com/acme/benchmarks/commit/3f786850e387550fdab836ed7e6dc881de23001b"
        ],
    )


class HistoryKey(Record):
    """The key of one page of a file's history.

    `page` counts from 1, and `repository_key` is that of the repository's address.
    """

    project_id: str
    repository_key: str
    path: str
    head_sha: str
    page: int


class HistoryPage(Record):
    """The page's commits, newest first, and whether more pages follow."""

    commits: tuple[FileCommit, ...]
    more: bool
