"""Tokens of `benchmark-manager login`: one file for each service, which only its user reads."""

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmark_manager.client.errors import InvalidCallError

#: Bytes of a file.
_LARGEST: Final = 128 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A token for the service at an address."""

    address: str
    token: str = field(repr=False)
    #: The id of a token that the sign-in made, so that signing out revokes it.
    made_id: str | None = None


def kept_token(address: str) -> KeptToken | None:
    """Return the token of the last sign-in at an address; None without one.

    Raises:
        InvalidCallError: others may read its file, or it cannot be used.
    """
    path = _path(address)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        # There is none, or this user has no folder for settings.
        return None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & _OTHERS:
            raise InvalidCallError(
                f"Others may read the token in {path}; run chmod 600 on it, or sign in again."
            )
        content = file.read(_LARGEST + 1)
    try:
        values = json.loads(content)
        found = KeptToken(values["address"], values["token"], values["made_id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        found = None
    if found is None or found.address != address or not isinstance(found.token, str):
        raise InvalidCallError(f"{path} holds no token for {address}; sign in again.")
    return found


def keep_token(kept: KeptToken) -> Path:
    """Write a token into its file, instead of the one before; return the file's path.

    Raises:
        OSError
    """
    path = _path(kept.address)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp's files are this user's alone.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            values = {"address": kept.address, "token": kept.token, "made_id": kept.made_id}
            json.dump(values, file)
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return path


def forget_token(address: str) -> bool:
    """Delete the token for an address; return whether there was one.

    Raises:
        OSError
    """
    try:
        _path(address).unlink()
    except FileNotFoundError:
        return False
    return True


def _path(address: str) -> Path:
    # Most commands of containers have no use for it.
    from platformdirs import user_config_path  # noqa: PLC0415 -- why: see above

    name = hashlib.sha256(address.encode()).hexdigest()[:32]
    return user_config_path("benchmark-manager", appauthor=False) / "tokens" / f"{name}.json"
