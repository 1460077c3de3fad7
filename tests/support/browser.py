"""A browser without scripts: reads pages and sends their forms as the HTML standard says."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx2 as httpx

Attributes = dict[str, str]
_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class WebForm:
    """A form and what it would send; the fields of a page which was typed into are changed here."""

    action: str
    method: str
    enctype: str
    fields: dict[str, str] = field(default_factory=dict)
    checkboxes: set[str] = field(default_factory=set)

    def body(self) -> dict[str, object]:
        """Arguments for the client. Every line end is sent as CRLF (HTML, 4.10.22.4)."""
        sent = {name: re.sub(r"\r\n|\r|\n", "\r\n", value) for name, value in self.fields.items()}
        if self.enctype == "multipart/form-data":
            return {"files": {name: (None, value.encode()) for name, value in sent.items()}}
        return {"data": sent}


class _Reader(HTMLParser):
    """What HTML holds; addresses of its forms are relative to `url`."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes]] = []
        self.forms: list[WebForm] = []
        self.texts: list[str] = []
        self.unclosed: list[str] = []
        self._url = url
        self._open: list[str] = []
        self._textarea: str | None = None
        self._select = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "form":
            action = urljoin(self._url, found.get("action", ""))
            self.forms.append(WebForm(action, found.get("method", "get"), found.get("enctype", "")))
        elif tag == "textarea":
            self._textarea = found.get("name")
            if self.forms and self._textarea:
                self.forms[-1].fields[self._textarea] = ""
        elif tag in {"select", "option"} and self.forms:
            self._choose(tag, found)
        elif tag == "input" and self.forms and "form" in self._open and "name" in found:
            if found.get("type") == "checkbox":
                self.forms[-1].checkboxes.add(found["name"])
                if "checked" not in found:
                    return
            if found.get("type") == "radio" and "checked" not in found:
                return
            self.forms[-1].fields[found["name"]] = found.get("value", "")

    def _choose(self, tag: str, found: Attributes) -> None:
        """Choose a select's first option, unless another one is marked."""
        fields = self.forms[-1].fields
        if tag == "select":
            self._select = found.get("name", "")
        elif "select" in self._open and ("selected" in found or self._select not in fields):
            fields[self._select] = found.get("value", "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] not in {tag, "li"}:
            self.unclosed.append(f"</{tag}> in {self._open[-3:]}")
        while self._open and self._open.pop() != tag:
            pass
        if tag == "textarea" and self._textarea and self.forms:
            # HTML, 13.2.6.4.7: a line feed right behind the tag is no part of the text.
            fields = self.forms[-1].fields
            fields[self._textarea] = re.sub(r"\r\n?", "\n", fields[self._textarea]).removeprefix(
                "\n"
            )
            self._textarea = None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._textarea and self.forms and self._open and self._open[-1] == "textarea":
            self.forms[-1].fields[self._textarea] += data


class WebPage:
    """What a page holds; it is read when a test first asks for more than its HTML."""

    def __init__(self, url: str, answer: httpx.Response) -> None:
        self.url = url
        self.answer = answer
        self.html = answer.text
        self._opened_at = url

    @cached_property
    def _read(self) -> _Reader:
        return _Reader(self._opened_at, self.html)

    @cached_property
    def text(self) -> str:
        return "".join(self._read.texts)

    @property
    def tags(self) -> list[tuple[str, Attributes]]:
        return self._read.tags

    @property
    def forms(self) -> list[WebForm]:
        return self._read.forms

    @property
    def unclosed(self) -> list[str]:
        """End tags that do not close the last open tag."""
        return self._read.unclosed

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.tags if name == tag]

    def links(self) -> list[str]:
        return [urljoin(self.url, link["href"]) for link in self.all("a") if "href" in link]

    def form(self, action: str) -> WebForm:
        """The form which is sent to this path, or whose path ends so."""
        [found] = [form for form in self.forms if form.action.partition("?")[0].endswith(action)]
        return found


@dataclass(frozen=True, slots=True)
class Browser:
    """A visitor with cookies, over the client of the service."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=lambda: {"Accept": "text/html,*/*;q=0.8"})

    async def open(
        self, path: str, status: int = 200, headers: Attributes | None = None
    ) -> WebPage:
        answer = await self.http.get(path, headers={**self.headers, **(headers or {})})
        assert answer.status_code == status, answer.text
        return WebPage(path, answer)

    async def send(self, form: WebForm, status: int = 200, **changes: str) -> WebPage:
        """Send a form with these fields typed; follows where the answer leads."""
        form.fields.update(changes)
        sent: dict[str, Any] = {"headers": self.headers, **form.body()}
        answer = await self.http.post(form.action, **sent)
        if answer.status_code == 303:
            assert status == 200, answer.headers["location"]
            return await self.open(answer.headers["location"])
        assert answer.status_code == status, answer.text
        return WebPage(form.action, answer)
