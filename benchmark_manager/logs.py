"""Logging: structlog for everything, the libraries' own loggers included."""

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Literal
from urllib.parse import unquote

import structlog

#: A user name or password in an address, as it is or percent-encoded in a query.
_CREDENTIALS: Final = re.compile(
    r"(://)[^/?&#\s]*?(@)|(%3A%2F%2F)(?:[^%/?&#\s]|%(?!2F))*?(%40)", re.IGNORECASE
)

#: A path whose whole query is secret.
_SECRET_QUERY: Final = re.compile(r"(/auth/[a-z]+/callback|/ui/set-up)\?\S*")

#: A parameter of a query; its name ends at any `?`, so that a hostile query takes no long time.
_PARAMETER: Final = re.compile(r"([?&])([^=&?#\s]*)=[^&#\s]+")
#: What the name of one has that may hold a secret, which the service refuses to take there.
_SECRET_NAME: Final = re.compile(
    r"token|secret|password|passwd|credential|api[_-]?key|authorization", re.IGNORECASE
)


def configure_logging(level: str, log_format: Literal["console", "json"]) -> None:
    """Write to standard error, a line an event: coloured for people, JSON for machines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _without_uvicorns_colours,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if log_format == "json":
        ending += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain tracebacks: a rich one shows local variables, and those may hold tokens.
        ending += [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    logging.config.dictConfig(_configuration(level, shared, ending))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _configuration(level: str, shared: list[Any], ending: list[Any]) -> dict[str, Any]:
    """Return the configuration of the standard library's loggers."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "shared": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": ending,
            }
        },
        "filters": {
            "upgrades": {"()": _WithoutUpgrades},
            "credentials": {"()": WithoutCredentials},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "shared"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # One line for each request to GitHub is too much.
            **{name: {"level": "WARNING"} for name in ("httpx2", "httpcore2", "pymongo")},
            # What a client sent wrongly is no news, and each of these lines could be asked for
            # by anyone.
            "python_multipart": {"level": "ERROR"},
            "uvicorn.error": {"filters": ["upgrades"]},
            "uvicorn.access": {"filters": ["credentials"]},
            # A tick that finds the previous one still running is no news: that one waits for a
            # slot.
            "apscheduler": {"level": "ERROR"},
        },
    }


class WithoutCredentials(logging.Filter):
    """Leave secrets in queries out of uvicorn's access log.

    A preview names its repository in the query, and people paste addresses with a token, or send
    one as a parameter. An identity provider sends a code there, and the set-up link has a token.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _without_credentials(value) if isinstance(value, str) else value
                for value in record.args
            )
        return True


def _without_credentials(text: str) -> str:
    text = _PARAMETER.sub(_without_secret, _CREDENTIALS.sub(r"\1\3…\2\4", text))
    return _SECRET_QUERY.sub(r"\1?…", text)


def _without_secret(parameter: re.Match[str]) -> str:
    before, name = parameter.groups()
    return f"{before}{name}=…" if _SECRET_NAME.search(unquote(name)) else parameter[0]


class _WithoutUpgrades(logging.Filter):
    """Leave out uvicorn's advice to install a WebSocket library: the service has no WebSockets."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(
            ("Unsupported upgrade request", "No supported WebSocket library")
        )


def _without_uvicorns_colours(
    _: object, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Leave out the message which uvicorn adds a second time, with colours."""
    event.pop("color_message", None)
    return event
