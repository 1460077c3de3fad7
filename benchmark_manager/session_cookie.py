"""The cookie of a session, which pages and the API read and set, and those that guard it."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

_NAME: Final = "bm_session"
#: All that may surround a pair of a `Cookie` header: `str.strip` takes away more.
_BLANK: Final = b" \t"


def cookie_name(scope: Scope, name: str = _NAME) -> str:
    """Return the cookie's name: with https one that no other host and no http page can set."""
    if scope.get("scheme") != "https":
        return name
    # `__Host-` is for cookies of a whole host; below a path prefix the cookie is that path's.
    has_prefix = bool(scope.get("app_root_path", scope.get("root_path", "")))
    return f"__Secure-{name}" if has_prefix else f"__Host-{name}"


def session_secret(scope: Scope) -> str | None:
    """Return the secret of the request's session; None without one."""
    return cookie_value(scope, _NAME)


def cookie_value(scope: Scope, name: str) -> str | None:
    """Return the value of a cookie of `cookie_name`; None without one.

    Of several cookies with different values none counts: another host of the domain, or a page
    without TLS, may have set one of them. Characters that a browser keeps in a name are part of it
    here too.
    """
    wanted = cookie_name(scope, name).encode()
    found = set()
    for key, header in scope["headers"]:
        if key != b"cookie":
            continue
        for pair in header.split(b";"):
            given, equals, value = pair.partition(b"=")
            if equals and given.strip(_BLANK) == wanted:
                found.add(_unquoted(value.strip(_BLANK)))
    return found.pop().decode("latin-1") if len(found) == 1 else None


def _unquoted(value: bytes) -> bytes:
    """Return a value without the quotes that responses set around one with `=`."""
    is_quoted = len(value) > 1 and value.startswith(b'"') and value.endswith(b'"')
    return value[1:-1] if is_quoted else value


def set_session_cookie(request: Request, response: Response, secret: str, seconds: int) -> None:
    """Let the browser keep the secret; it is hidden from scripts and from other sites' forms."""
    response.set_cookie(
        cookie_name(request.scope),
        secret,
        max_age=seconds,
        path="/",
        secure=request.scope.get("scheme") == "https",
        httponly=True,
        samesite="lax",
    )


def delete_session_cookie(request: Request, response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(
        cookie_name(request.scope),
        path="/",
        secure=request.scope.get("scheme") == "https",
        httponly=True,
        samesite="lax",
    )
