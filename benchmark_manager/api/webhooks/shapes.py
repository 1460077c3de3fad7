"""Shapes of webhooks."""

from typing import Literal

from pydantic import BaseModel, Field

from benchmark_manager.api.http.shapes import ID


class WebhookAnswer(BaseModel):
    """The effect of a webhook's delivery."""

    event: str = Field(description="As `X-GitHub-Event` named it.", examples=["push"])
    outcome: Literal["pong", "queued", "ignored", "repeated"] = Field(
        description="`pong`: a ping was answered. `queued`: syncs begin in about a second. "
        "`ignored`: "
        "there is nothing to do. `repeated`: the delivery was received before."
    )
    projects: list[str] = Field(
        description="Ids of the projects whose syncs were queued.", examples=[[ID]]
    )
    detail: str = Field(
        description="The same in a sentence.", examples=["1 project is synced in a moment."]
    )
