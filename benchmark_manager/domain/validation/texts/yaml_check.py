"""YAML by its events: keys, aliases, tags, depth, and values which readers take differently.

Nothing is built, so an alias costs the same whatever it stands for; nothing recurses.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmark_manager.domain.validation.findings import Findings, excerpt, excerpt_of
from benchmark_manager.domain.validation.texts.templates import first_in_plain, may_hold_template
from benchmark_manager.domain.validation.texts.text_check import check_key, holds_invisible
from benchmark_manager.domain.yaml import scalars as yaml_scalars
from benchmark_manager.domain.yaml.events import (
    MAX_DEPTH,
    SEPARATORS,
    AliasEvent,
    CollectionStart,
    Event,
    PreparedText,
    ScalarEvent,
    YamlSyntaxError,
    control_character,
    prepare,
)
from benchmark_manager.domain.yaml.walker import Kind, NodeReader, Role, walk

MAX_EXPANDED: Final = 1_000_000
"""Nodes which a document may have once its aliases are written out.

1 MiB of text holds half as many.
"""

_NO_JSON_TAGS: Final = frozenset(
    f"{yaml_scalars.TAG_PREFIX}{name}" for name in ("binary", "set", "omap", "pairs")
)
_WIDE_SPACES: Final = frozenset(
    "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_SUSPECT_BEGINNINGS: Final = yaml_scalars.NOTEWORTHY | _WIDE_SPACES

MERGE_KEY: Final = "<<"
_MERGE: Final = ("str", MERGE_KEY)
_TRIGGER: Final = "on"
_OBJECT: Final = {("str", "apiVersion"), ("str", "kind")}
_FILE_MODE: Final = ("str", "defaultMode")

Identity: TypeAlias = tuple[str, Hashable]
"""Two nodes are equal (YAML 1.2.2, section 3.2.1.3) exactly when their identities are."""


@dataclass(slots=True)
class _Anchor:
    """What an alias stands for; `closed` is False inside the anchored node itself."""

    identity: Identity
    size: int = 1
    closed: bool = False


@dataclass(slots=True)
class _OpenNode:
    """An open collection, or the document around its top node."""

    is_mapping: bool
    identified: bool
    start: int = 0
    tag: str = ""
    anchor: _Anchor | None = None
    size: int = 1
    key: Identity | None = None
    keys: dict[Identity, int] = field(default_factory=dict)
    parts: list[Hashable] = field(default_factory=list)


@dataclass(slots=True)
class YamlReport:
    """What the checker learnt beside its findings.

    `parses` is about syntax alone; `template_at` is the first template outside quotes, comments
    and block scalars, in characters. `objects` are documents with `apiVersion` and `kind`.
    """

    parses: bool = True
    template_at: int | None = None
    documents: int = 0
    empty_documents: int = 0
    objects: int = 0


def check_yaml(text: str, findings: Findings) -> YamlReport:
    """Read every document of a text without a byte order mark at its beginning."""
    report = YamlReport()
    try:
        source = prepare(text)
        _Checker(source, findings, report).run()
    except YamlSyntaxError as error:
        report.parses = error.code == "too_deep"
        findings.error(error.code, error.message, error.index)
    return report


class _Checker(NodeReader[_OpenNode]):
    """One pass over one text."""

    def __init__(self, source: PreparedText, findings: Findings, report: YamlReport) -> None:
        self._text = source.text
        self._source = source
        self._findings = findings
        self._report = report
        self._top: _OpenNode | None = None
        self._anchors: dict[str, _Anchor] = {}
        self._structures: dict[Hashable, int] = {}
        self._bomb_reported = False
        self._braces = may_hold_template(source.text)
        self._backslashes = "\\" in source.text
        self._hides = holds_invisible(source.text)
        self._triggers: list[int] = []
        self._quotes: list[tuple[int, int]] = []
        self._blocks: list[tuple[int, int]] = []

    def run(self) -> None:
        walk(self._source.parsed, self, max_depth=MAX_DEPTH)
        self._delicate_characters()

    def document(self, _event: Event) -> _OpenNode:
        self._anchors.clear()
        self._structures.clear()
        self._bomb_reported = False
        return _OpenNode(is_mapping=False, identified=False)

    def document_end(self) -> None:
        self._report.documents += 1

    def scalar(self, event: ScalarEvent, around: _OpenNode, role: Role) -> None:
        start = event.start_mark.index
        is_key = role == "key"
        self._scalar_text(event, start, around, role)
        if role == "document":
            self._top_scalar(event, start)
        identity: Identity | None = None
        if is_key or around.identified or event.anchor is not None:
            identity = _identity(event)
            if event.anchor is not None:
                self._anchor(event.anchor, _Anchor(identity, closed=True), start)
        if is_key and identity is not None:
            if identity[0] != "str":
                self._non_string_key(start, event.end_mark.index)
            if self._hides:
                check_key(self._text[start : event.end_mark.index], self._findings, start)
        self._node(identity, 1, around, role, start, event.end_mark.index)

    def _scalar_text(self, event: ScalarEvent, start: int, around: _OpenNode, role: Role) -> None:
        """Check what needs nothing but the scalar itself."""
        if event.tag is not None:
            self._tag(event.tag, start)
        elif event.implicit[0]:
            if event.value[:1] in _SUSPECT_BEGINNINGS:
                self._plain_value(event.value, start, around, role)
            if self._braces and may_hold_template(event.value):
                self._plain_template(start, event.end_mark.index)
        if self._backslashes and "\x00" in event.value:
            self._findings.warning(
                "nul_escape",
                "The value holds U+0000, which many programs and databases cannot keep.",
                start,
            )
        if self._source.delicate and event.style:
            spans = self._quotes if event.style in {"'", '"'} else self._blocks
            spans.append((start, event.end_mark.index))

    def _plain_value(self, value: str, start: int, around: _OpenNode, role: Role) -> None:
        if value[0] in _WIDE_SPACES:
            self._findings.warning(
                "no_break_space",
                lambda: (
                    f"U+{ord(value[0]):04X} looks like indentation but is part of the text; "
                    "use spaces."
                ),
                start,
            )
        elif yaml_scalars.difference(value) is not None:
            self._difference(value, start, around, role)
        elif yaml_scalars.is_not_finite(value):
            self._findings.warning("not_finite", lambda: f"JSON has no form for {value}.", start)
        elif yaml_scalars.is_impossible_date(value):
            self._findings.warning(
                "impossible_date",
                lambda: (
                    f"{excerpt(value)} looks like a date and is none; some readers fail on it. "
                    "Quote it."
                ),
                start,
            )

    def _difference(self, value: str, start: int, around: _OpenNode, role: Role) -> None:
        if value == _TRIGGER and role == "key" and around is self._top:
            self._triggers.append(start)
        # Only Kubernetes has this key, and it reads `0644` as octal; its own guides write it so.
        elif around.key != _FILE_MODE or not value.isdigit():
            self._ambiguous(value, start)

    def _plain_template(self, start: int, end: int) -> None:
        if (
            self._report.template_at is None
            and (at := first_in_plain(self._text[start:end])) is not None
        ):
            self._report.template_at = start + at

    def _tag(self, tag: str, start: int) -> None:
        # Any other tag is the application's, also one for Python: nothing is ever built of it here.
        if tag in _NO_JSON_TAGS:
            kind = tag.removeprefix(yaml_scalars.TAG_PREFIX)
            self._findings.warning(
                "not_json", lambda: f"JSON has no form for a value with the tag !!{kind}.", start
            )

    def _top_scalar(self, event: ScalarEvent, start: int) -> None:
        if _identity(event)[0] == "null":
            self._report.empty_documents += 1
        else:
            message = "The document is one plain value, neither a mapping nor a list."
            self._findings.warning("not_a_mapping", message, start)

    def _non_string_key(self, start: int, end: int) -> None:
        self._findings.warning(
            "non_string_key",
            lambda: (
                f"The key {excerpt_of(self._text, start, end)} is not a string; "
                "JSON has string keys only."
            ),
            start,
        )

    def alias(self, event: AliasEvent, around: _OpenNode, role: Role) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            self._findings.error(
                "undefined_alias",
                lambda: f"No anchor &{excerpt(event.anchor)} stands before this alias.",
                start,
            )
            anchor = _Anchor(("undefined", event.anchor))
        elif not anchor.closed:
            self._findings.error(
                "recursive_alias",
                lambda: f"The alias *{excerpt(event.anchor)} stands inside its own anchor.",
                start,
            )
        self._node(anchor.identity, anchor.size, around, role, start, end)

    def _anchor(self, name: str, anchor: _Anchor, start: int) -> None:
        if name in self._anchors:
            self._findings.warning(
                "duplicate_anchor",
                lambda: (
                    f"The anchor &{excerpt(name)} stands twice in this document: "
                    "PyYAML refuses it, others take the last."
                ),
                start,
            )
        self._anchors[name] = anchor

    def begin(self, event: CollectionStart, kind: Kind, around: _OpenNode, role: Role) -> _OpenNode:
        start = event.start_mark.index
        if event.tag is not None:
            self._tag(event.tag, start)
        anchor: _Anchor | None = None
        if event.anchor is not None:
            anchor = _Anchor(("open", event.anchor))
            self._anchor(event.anchor, anchor, start)
        identified = around.identified or role == "key" or anchor is not None
        opened = _OpenNode(kind == "mapping", identified, start, event.tag or "", anchor)
        if role == "document":
            self._top = opened
        return opened

    def end(self, event: Event, frame: _OpenNode, around: _OpenNode, role: Role) -> None:
        end = event.end_mark.index
        if self._braces and frame.is_mapping:
            self._flow_template(frame.start, end)
        identity = self._structure(frame) if frame.identified else None
        if frame.anchor is not None:
            frame.anchor.size, frame.anchor.closed = frame.size, True
            frame.anchor.identity = identity or frame.anchor.identity
        if role == "key" and not self._is_in_braces(frame.start, end):
            self._non_string_key(frame.start, end)
        elif role == "document":
            self._top_end(frame)
        self._node(identity, frame.size, around, role, frame.start, end)

    def _flow_template(self, start: int, end: int) -> None:
        """Note a template: a mapping as the only key of a flow mapping, written `{{ … }}`."""
        pair = self._text.startswith("{{", start) and self._text.endswith("}}", start, end)
        first = self._report.template_at
        if pair and (first is None or start < first):
            self._report.template_at = start

    def _is_in_braces(self, start: int, end: int) -> bool:
        """Return whether a mapping is `{{ … }}`, or its inner one.

        Then a template is filled with it, and it is no key.
        """
        inner = self._text.startswith("{{", max(0, start - 1)) and self._text.startswith(
            "}}", end - 1
        )
        return inner or (
            self._text.startswith("{{", start) and self._text.startswith("}}", end - 2)
        )

    def _top_end(self, frame: _OpenNode) -> None:
        if frame.keys.keys() >= _OBJECT:
            self._report.objects += 1
        if self._triggers:
            self._ambiguous_triggers(frame)

    def _ambiguous_triggers(self, frame: _OpenNode) -> None:
        """Report `on` as a key at the top, but not beside `jobs`: GitHub reads its workflows so."""
        if ("str", "jobs") not in frame.keys:
            for start in self._triggers:
                self._ambiguous(_TRIGGER, start)
        self._triggers.clear()

    def _ambiguous(self, value: str, start: int) -> None:
        self._findings.warning(
            "ambiguous_value",
            lambda: (
                f"{excerpt(value)} is {yaml_scalars.difference(value)}; "
                "quote it, or spell it so that both agree."
            ),
            start,
        )

    def _structure(self, frame: _OpenNode) -> Identity:
        """Return one number for equal structures, so that a key of keys is never walked twice."""
        kind = "mapping" if frame.is_mapping else "sequence"
        parts: Hashable = frozenset(frame.parts) if frame.is_mapping else tuple(frame.parts)
        number = self._structures.setdefault((kind, frame.tag, parts), len(self._structures))
        return "collection", number

    def _node(
        self,
        identity: Identity | None,
        size: int,
        around: _OpenNode,
        role: Role,
        start: int,
        end: int,
    ) -> None:
        """Take a finished node into the collection around it."""
        around.size += size
        if around.size > MAX_EXPANDED:
            self._too_many_nodes(around, start)
        if role == "key":
            around.key = identity
            if identity is not None:
                self._key(around, identity, start, end)
        elif around.identified:
            around.parts.append((around.key, identity) if role == "value" else identity)

    def _too_many_nodes(self, frame: _OpenNode, start: int) -> None:
        # Kept at the limit: the sizes of nested aliases grow without bound.
        frame.size = MAX_EXPANDED
        if not self._bomb_reported:
            self._bomb_reported = True
            self._findings.error(
                "alias_bomb",
                f"With its aliases written out the document has over {MAX_EXPANDED:,} values.",
                start,
            )

    def _key(self, frame: _OpenNode, identity: Identity, start: int, end: int) -> None:
        """Report a key that occurs twice (YAML 1.2.2, section 3.2.1.1).

        Several mappings are merged as one list (yaml.org/type/merge); about a second `<<` readers
        disagree.
        """
        first = frame.keys.setdefault(identity, start)
        if first != start and identity == _MERGE and self._text.startswith(MERGE_KEY, start):
            self._findings.warning(
                "duplicate_merge_key",
                lambda: (
                    "This mapping merges others twice, "
                    f"first on line {self._findings.line_of(first)}: "
                    "some readers take both, some the last. Write one list: <<: [*a, *b]."
                ),
                start,
            )
        elif first != start:
            self._findings.error(
                "duplicate_key",
                lambda: (
                    f"The key {excerpt_of(self._text, start, end)} stands twice in this mapping, "
                    f"first on line {self._findings.line_of(first)}."
                ),
                start,
            )

    def _delicate_characters(self) -> None:
        """Check the characters which libyaml was not shown.

        Some may not stand where they do, some are read differently by YAML 1.1 and 1.2.
        """
        unquoted = _positions_outside(self._source.delicate, self._quotes)
        for index in unquoted:
            if self._text[index] not in SEPARATORS:
                raise control_character(self._text, index)
        separators = _positions_outside(unquoted, self._blocks)
        if separators:
            self._findings.warning(
                "line_separator",
                f"YAML 1.1 readers end a line at U+{ord(self._text[separators[0]]):04X}, "
                "YAML 1.2 readers do not.",
                separators[0],
            )


def _identity(event: ScalarEvent) -> Identity:
    if event.tag is not None:
        return yaml_scalars.resolve_tagged(event.value, event.tag)
    return yaml_scalars.resolve(event.value) if event.implicit[0] else ("str", event.value)


def _positions_outside(positions: tuple[int, ...], spans: list[tuple[int, int]]) -> tuple[int, ...]:
    """Return the positions which lie in none of the spans; both in ascending order."""
    outside: list[int] = []
    following = iter(spans)
    span = next(following, None)
    for position in positions:
        while span is not None and position >= span[1]:
            span = next(following, None)
        if span is None or position < span[0]:
            outside.append(position)
    return tuple(outside)
