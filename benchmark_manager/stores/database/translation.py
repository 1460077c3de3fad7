"""Translates the driver's errors into `StorageError` where services call stores and `Database`.

Inside a store, and inside a transaction, the driver's errors stay as they are: stores handle some
of them, and the driver reads the labels of its own errors to decide whether to repeat a
transaction.
"""

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from benchmark_manager.errors import StorageError
from benchmark_manager.stores.database.failures import DATABASE_ERRORS

P = ParamSpec("P")
T = TypeVar("T")


class Translator(Protocol):
    """What knows which failure one of the driver's errors means."""

    async def failure(self, error: Exception) -> StorageError: ...


S = TypeVar("S", bound=Translator)


def translated(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Raise a `StorageError` for each of the driver's errors; the driver's error is its cause.

    The first argument of the method, or of the function, knows the failures: a store or a database.
    """

    @functools.wraps(method)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(self, *args, **kwargs)
        except DATABASE_ERRORS as error:
            raise await self.failure(error) from error

    return call


def translated_rows(
    method: Callable[Concatenate[S, P], AsyncGenerator[T]],
) -> Callable[Concatenate[S, P], AsyncGenerator[T]]:
    """Do the same for an async generator."""

    @functools.wraps(method)
    async def rows(self: S, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        try:
            async with aclosing(method(self, *args, **kwargs)) as found:
                async for row in found:
                    yield row
        except DATABASE_ERRORS as error:
            raise await self.failure(error) from error

    return cast("Callable[Concatenate[S, P], AsyncGenerator[T]]", rows)
