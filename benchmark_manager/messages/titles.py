"""Titles of problem documents, in the words of HTTP, and of pages of errors."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

_SERVER_ERRORS: Final = 500
_PAGES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("This request cannot be understood", "요청을 이해할 수 없습니다"),
    401: ("Sign in first", "로그인이 필요합니다"),
    403: ("This is not allowed", "허용되지 않는 요청입니다"),
    404: ("Not found", "찾을 수 없습니다"),
    405: ("This address does not accept this request", "이 주소는 그런 요청을 받지 않습니다"),
    408: ("The request took too long", "요청이 너무 오래 걸렸습니다"),
    409: ("This conflicts with what is stored", "저장된 내용과 맞지 않습니다"),
    412: ("This was changed in the meantime", "그사이 변경되었습니다"),
    413: ("This is too large", "너무 큽니다"),
    422: ("This request is not valid", "올바르지 않은 요청입니다"),
    429: ("Too many requests", "요청이 너무 많습니다"),
    500: ("The service failed", "서비스에 오류가 발생했습니다"),
    502: ("GitHub does not answer", "GitHub가 응답하지 않습니다"),
    503: ("This is not possible right now", "지금은 할 수 없습니다"),
}


def http_title(status: int) -> str:
    """Return the title of a problem document."""
    return HTTPStatus(status).phrase


def page_title(status: int, language: str) -> str:
    """Return the title of an error's page; a status without one has the title of its class."""
    general = _PAGES[400 if status < _SERVER_ERRORS else 500]
    english, korean = _PAGES.get(status, general)
    return korean if language == "ko" else english
