"""The base of all models."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Immutable data; an unknown or missing field is a programming error and raises."""

    model_config = ConfigDict(frozen=True, extra="forbid")
