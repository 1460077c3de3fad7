"""Hashes of passwords: argon2id, with the parameters that OWASP recommends."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from pydantic import SecretStr

from benchmark_manager.domain.access.passwords import check_password, password_bytes

#: Hashes that are computed at once in a process: each takes 19 MiB and 20 to 50 ms of a core.
_AT_ONCE: Final = 2
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Passwords:
    """Computes and checks hashes, in threads, and never many at once."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._of_nobody: str | None = None

    async def checked_hash(self, password: str, name: str) -> SecretStr:
        """Return the hash of a new password of the account of this name.

        Raises:
            InvalidInputError: `password_refused`.
        """
        # In a thread: the first check reads the list of common passwords.
        await asyncio.to_thread(check_password, password, name)
        return SecretStr(await self.hashed(password))

    async def hashed(self, password: str) -> str:
        """Return the hash of a password, with its salt and parameters."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password_bytes(password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Return whether the hash is the password's.

        None, where there is no account, takes the same time, so that nobody learns which accounts
        exist.
        """
        if stored is None:
            stored = await self._hash_of_nobody()
            await self._verified(stored, password)
            return False
        return await self._verified(stored, password)

    def is_outdated(self, stored: str) -> bool:
        """Return whether the hash has other parameters than those of now."""
        return self._hasher.check_needs_rehash(stored)

    async def _hash_of_nobody(self) -> str:
        if self._of_nobody is None:
            self._of_nobody = await self.hashed("the password of nobody")
        return self._of_nobody

    async def _verified(self, stored: str, password: str) -> bool:
        async with self._slots:
            try:
                return await asyncio.to_thread(
                    self._hasher.verify, stored, password_bytes(password)
                )
            except (VerifyMismatchError, VerificationError, InvalidHashError):
                return False
