"""What the shapes of all features share."""

import re
from typing import Final

from pydantic import (
    BaseModel,
    ConfigDict,
    field_validator,
    model_validator,
)

from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.variant import Variant

#: Examples in the descriptions of ids: of a document, and of a git object.
ID: Final = "65f0c0ffee65f0c0ffee65f0"
SHA: Final = "3f786850e387550fdab836ed7e6dc881de23001b"
#: Many more than any body has.
_MOST_FIELDS: Final = 100
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def one_line(value: str) -> str:
    """Return the text if it is one line."""
    if holds_control(value):
        raise ValueError("must hold no control characters")
    return value


def without_nul(text: str | None) -> str | None:
    """Return the text if a database can search for it."""
    if text is not None and "\0" in text:
        raise ValueError("must not hold NUL")
    return text


class RequestBody(BaseModel):
    """Base of all bodies of requests: unknown fields and invalid text are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _check_count(cls, value: object) -> object:
        # Each unknown field would be reported: hundreds of thousands take seconds, and four times
        # the body's bytes.
        if isinstance(value, dict) and len(value) > _MOST_FIELDS:
            raise ValueError(f"must not have more than {_MOST_FIELDS} fields")
        return value

    @field_validator("*")
    @classmethod
    def _check_text(cls, value: object) -> object:
        # JSON can have "\ud800", which is no character: neither UTF-8 nor a database can store it.
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and _SURROGATE.search(text) is not None for text in texts):
            raise ValueError("must not hold half of a surrogate pair")
        return value


#: An answer as it is written: the fields of a shape, in its order.
Answer = dict[str, object]


def shaped(shape: type[BaseModel], file: OriginalFile | Variant, **more: object) -> Answer:
    """Return the fields of a shape from a file, and from `more` what the file does not have.

    No object of the shape is made: the file's values were checked when it was read, and to check
    them once more takes longer than to write a list of a hundred.
    """
    values = file.__dict__ | more
    return {name: values[name] for name in shape.model_fields}
