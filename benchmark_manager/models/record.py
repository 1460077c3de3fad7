"""The base of all models, and how stored words of newer versions are read."""

from collections.abc import Hashable
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T", bound=Hashable)


class Record(BaseModel):
    """Immutable data. A missing field raises an error.

    Unknown fields are ignored, as a newer version may have stored them. Where code builds a record
    with named arguments, mypy refuses unknown ones.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class OrElse:
    """Annotates a field of fixed words: any other value is read as the word given here.

    A newer version may store words that this one does not know, and a list must not fail for one of
    them. What is stored stays as it is, since a change writes only the fields that it changes.
    """

    def __init__(self, word: str) -> None:
        self.word = word

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        known = handler(source)
        other = core_schema.no_info_plain_validator_function(lambda _: self.word)
        return core_schema.union_schema(
            [known, other], mode="left_to_right", serialization=core_schema.to_string_ser_schema()
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        [known, _] = cast("core_schema.UnionSchema", schema)["choices"]
        return handler(cast("CoreSchema", known))


def known_word(value: object, words: frozenset[T], otherwise: T) -> T:
    """Return a value that is one of the words, else `otherwise`, as `OrElse` does in models."""
    return value if value in words else otherwise


def words_of(literal: object) -> frozenset[Any]:
    """Return the words of a `Literal`."""
    return frozenset(get_args(literal))
