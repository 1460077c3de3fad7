"""Rendering of templates in the reader's language and theme."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Final

import structlog
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from fastapi import Request, Response
from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from benchmark_manager.domain.text.json_line import json_line, shortened
from benchmark_manager.incoming import kept_principal, own_path, root_path
from benchmark_manager.models.access.principal import Principal, Role, includes
from benchmark_manager.models.problem import Problem
from benchmark_manager.version import __version__
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site import assets, cookies, csrf, words
from benchmark_manager.web.site.headers import is_sign_in, nonce_of
from benchmark_manager.web.site.languages import LANGUAGES, translations
from benchmark_manager.web.site.reader import THEMES, name_of, reader_of
from benchmark_manager.web.texts.limits import EDITOR, PAGE
from benchmark_manager.web.texts.problems import listed
from benchmark_manager.web.texts.visible import escaped, raw, seen, visible

#: The documentation of who may do what.
ACCESS_GUIDE: Final = (
    "https://github.com/benchmark-manager/benchmark-manager/blob/main/docs/access.md"
)
#: Holds the note about what was just done, for the next page only.
NOTE_COOKIE: Final = "bm_note"

#: By note: the path of the form that undoes what the note reports, and the number of its ids. The
#: form sends the last id.
_UNDOING: Final = {
    "deleted": ("/trash/{}", 1),
    "result_deleted": ("/results/{}/undelete", 1),
    "reset": ("/projects/{}/undo-reset", 2),
}
_ID: Final = re.compile("[0-9a-f]{24}")

_KILO: Final = 1024

_log = structlog.get_logger(__name__)


class PageTooLongError(Exception):
    """A page is longer than `limits.PAGE`, although its own limits should have prevented it."""


def render(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    """Render a template with `values` and the names that every template needs.

    Raises:
        PageTooLongError: the page has more bytes than `limits.PAGE`.
    """
    reader = reader_of(request)
    root = root_path(request.scope)
    principal = kept_principal(request.scope)
    note, *subjects = cookies.given(request, NOTE_COOKIE).split(".")
    pieces = (
        environment(reader.language)
        .get_template(template)
        .generate(
            reader=reader,
            root=root,
            prefix=root + PREFIX,
            asset=partial(assets.url, root),
            here=_here(request),
            page_url=str(request.url),
            csrf_token=csrf.token_of(request),
            csp_nonce=nonce_of(request),
            note=words.NOTES.get(note),
            undo=_undo(root, note, subjects),
            principal=principal,
            is_open=not request.app.state.services.identities.is_required,
            person_name=_person_name(request),
            error_words=partial(words.error_words, reader),
            allows=partial(_allows, principal),
            **values,
        )
    )
    body = _joined(template, pieces)
    response = Response(body, status_code=status_code, headers=headers, media_type="text/html")
    csrf.remember(request, response)
    if note:
        cookies.forget(response, NOTE_COOKIE)
    return response


def _allows(principal: Principal | None, needed: Role, project_id: str | None = None) -> bool:
    """Return whether the reader's role suffices in a project; without one, site-wide."""
    if principal is None:
        return False
    if project_id is None:
        return includes(principal.site_role, needed)
    return principal.may(needed, project_id)


def _person_name(request: Request) -> str:
    """Return the name under which the reader is known, or ""."""
    principal = kept_principal(request.scope)
    if principal is None or principal.via == "open":
        return name_of(request)
    return principal.name


def _joined(template: str, pieces: Iterable[str]) -> bytes:
    """Return the page's bytes; stop rendering as soon as it is too long."""
    drawn = []
    left = PAGE
    for piece in pieces:
        drawn.append(piece)
        left -= len(piece)
        if left < 0:
            break
    body = "".join(drawn).encode()
    if len(body) > PAGE:
        _log.warning("a page was too long to be sent", template=template)
        raise PageTooLongError
    return body


def see_other(url: str, note: str | None = None, *subjects: str) -> Response:
    """Redirect to `url` after a form was processed; the page there shows a note of `words.NOTES`.

    `subjects` are the ids of the changed things, for the notes that offer to undo the change.
    """
    response = Response(status_code=303, headers={"Location": url})
    if note is not None:
        cookies.remember(response, NOTE_COOKIE, ".".join((note, *subjects)), seconds=60)
    return response


def _undo(root: str, note: str, subjects: Sequence[str]) -> tuple[str, str] | None:
    """Return the address and the id of the form that undoes what a note reports, or None.

    A cookie may hold anything, so only valid ids are put into the address.
    """
    if note not in _UNDOING or not all(map(_ID.fullmatch, subjects)):
        return None
    path, count = _UNDOING[note]
    return (
        (root + PREFIX + path.format(*subjects), subjects[-1]) if len(subjects) == count else None
    )


def _here(request: Request) -> str:
    """Return this page's address; for the response to a form, that of the list of projects.

    The addresses to which identity providers send browsers have a code, and are good once.
    """
    if is_sign_in(own_path(request.scope)):
        return f"{root_path(request.scope)}{PREFIX}/sign-in"
    if request.method not in {"GET", "HEAD"}:
        return root_path(request.scope) + PREFIX
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


class _CompiledOnce(BytecodeCache):
    """Keeps compiled templates in memory, shared by the environments of all languages."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (compiled := self._compiled.get(bucket.key)) is not None:
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_compiled: Final = _CompiledOnce()


def compile_shared_templates() -> None:
    """Compile what many pages need, so that the first request does not block for 0.3 s."""
    for language in LANGUAGES:
        for name in ("site/layout.html", "site/components.html", "charts/charts.html"):
            environment(language).get_template(name)


@cache
def environment(language: str) -> Environment:
    """Return the template environment of a language."""
    made = Environment(
        loader=PackageLoader("benchmark_manager.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_compiled,
    )
    catalogue = translations(language)
    # The extension adds this method.
    install = made.install_gettext_callables  # type: ignore[attr-defined]
    install(catalogue.gettext, catalogue.ngettext, newstyle=True)
    made.globals.update(
        languages=LANGUAGES,
        themes=THEMES,
        version=__version__,
        words=words,
        most_of_editor=EDITOR,
        access_guide=ACCESS_GUIDE,
    )
    made.filters.update(
        utc=_utc,
        rfc3339=_rfc3339,
        number=lambda value: format_decimal(value, locale=language),
        bytes=lambda value: _bytes(value, language),
        seconds=lambda value: _seconds(value, language),
        milliseconds=lambda value: f"{format_decimal(value, format='#,##0.#', locale=language)} ms",
        lasting=lambda seconds: format_timedelta(seconds, locale=language),
        json=partial(json.dumps, ensure_ascii=False),
        problems_json=_problems_json,
        listed=listed,
        beginning=_beginning,
        editor_size=editor_size,
        in_textarea=_in_textarea,
        exactly=_exactly,
        json_line=json_line,
        shortened=shortened,
        seen=seen,
    )
    return made


def _rfc3339(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _utc(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _bytes(size: int, language: str) -> str:
    if size < _KILO:
        return f"{size} B"
    if size < _KILO**2:
        return f"{format_decimal(size / _KILO, format='#,##0.#', locale=language)} KiB"
    return f"{format_decimal(size / _KILO**2, format='#,##0.#', locale=language)} MiB"


def _seconds(milliseconds: int, language: str) -> str:
    return f"{format_decimal(milliseconds / 1000, format='#,##0.##', locale=language)} s"


def _problems_json(problems: Sequence[Problem]) -> str:
    """Return the problems as JSON, to be escaped as an attribute by the template."""
    return json.dumps([problem.model_dump() for problem in problems], ensure_ascii=False)


def _in_textarea(text: str) -> Markup:
    """Return a text as the content of a textarea.

    HTML turns a bare CR into LF but keeps a character reference, so scripts see every line end.
    HTML also drops a line feed directly after the tag, so one is added.
    """
    return raw("\n" + escaped(text).replace("\r", "&#13;"))


def _beginning(text: str, most: int) -> Markup:
    """Return the beginning of a text, and how many characters were left out."""
    left = len(text) - most
    return raw(visible(text) if left <= 0 else f"{visible(text[:most])}<i>… {left}</i>")


def _exactly(text: str) -> Markup:
    """Return an attribute with the exact text where it has NUL, which HTML turns into U+FFFD."""
    return raw(
        f' data-exact="{escape(json.dumps(text, ensure_ascii=False))}"' if "\0" in text else ""
    )


def editor_size(text: str) -> int:
    """Return the number of bytes of HTML that an editor's text takes."""
    return len(_in_textarea(text).encode()) + len(_exactly(text).encode())
