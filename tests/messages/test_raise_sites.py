"""Errors are made of codes, reasons and facts, which the catalogue has sentences for."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import benchmark_manager
from benchmark_manager import errors
from benchmark_manager.domain.merge import errors as merge_errors
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.messages import CATALOGUE
from benchmark_manager.messages.fields import FIELDS

# The package is parsed in one worker, and not in each.
pytestmark = pytest.mark.xdist_group("raise sites")

ROOT = Path(benchmark_manager.__file__).parent
CLASSES = {
    name
    for module in (errors, merge_errors)
    for name, found in inspect.getmembers(module, inspect.isclass)
    if issubclass(found, BenchmarkManagerError)
}
#: Classes whose first argument is a reason, with their code.
REASONED = {
    "FaultError": "internal_error",
    "GitHubRateLimitedError": "github_rate_limited",
    "GitHubUnavailableError": "github_unavailable",
    "IssuerError": "issuer_failed",
    "SignedTokenError": "signed_token_refused",
    "TokenUnreadableError": "token_unreadable",
    "UnauthenticatedError": "unauthenticated",
}
#: Classes whose arguments are facts, which the class itself gives a code.
OF_FACTS = {
    "BusyError",
    "ForbiddenError",
    "InvalidContentError",
    "MergeConflictError",
    "MergeUnresolvedError",
    "NotFoundError",
    "StaleError",
    "TooManyListenersError",
    "RateLimitedError",
}
#: Facts that a class adds.
ADDED = {"GitHubRateLimitedError": {"until"}}


@dataclass(frozen=True)
class RaiseSite:
    """A call that makes an error; `location` is its file and line."""

    location: str
    name: str
    call: ast.Call

    @property
    def facts(self) -> set[str]:
        given = {keyword.arg for keyword in self.call.keywords if keyword.arg is not None}
        return given | ADDED.get(self.name, set())

    @property
    def code(self) -> str | None:
        """None where the code depends on what was found."""
        return REASONED.get(self.name) or _literal(self.call.args[0])

    @property
    def reasons(self) -> set[str]:
        """The reasons that the error may have; all of its code where they are not literals."""
        assert self.code is not None
        every = set(CATALOGUE[self.code].sentences)
        position = 0 if self.name in REASONED else 1
        if len(self.call.args) <= position:
            return {"key"} if self.name == "TokenUnreadableError" else {""}
        given = self.call.args[position]
        if isinstance(given, ast.IfExp):
            return {_literal(given.body) or "", _literal(given.orelse) or ""}
        reason = _literal(given)
        return every if reason is None else {reason}


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@cache
def sites() -> list[RaiseSite]:
    """Every call that makes an error."""
    return list(_calls())


@cache
def coded() -> list[RaiseSite]:
    """Those whose arguments give the code."""
    return [
        site
        for site in sites()
        if site.name not in OF_FACTS | {"MergeResolutionError"}
        and (site.call.args or site.name in REASONED)
    ]


def _calls() -> Iterator[RaiseSite]:
    for path in sorted(ROOT.rglob("*.py")):
        location = path.relative_to(ROOT).as_posix()
        if location.startswith("messages/"):
            continue
        source = path.read_text()
        # Parsing the whole package takes seconds.
        if "Error(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id in CLASSES:
                yield RaiseSite(f"{location}:{node.lineno}", node.func.id, node)


def facts_of(code: str, reason: str) -> set[str]:
    text = CATALOGUE[code].sentences[reason]
    return {name for _, name, _, _ in Formatter().parse(text.en + text.hint) if name is not None}


def test_all_sites_are_found() -> None:
    assert [name for name in CLASSES if not name.endswith("Error")] == []
    assert len(sites()) > 120
    assert len(coded()) > 80


def literals_of(site: RaiseSite) -> list[str]:
    given = [*site.call.args, *(keyword.value for keyword in site.call.keywords)]
    if site.name == "NotFoundError":
        given = given[1:]  # a noun, such as "release file"
    return [
        part.value
        for value in given
        for part in (value.values if isinstance(value, ast.JoinedStr) else [value])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def test_no_sentence_is_given_to_an_error() -> None:
    sentences = {
        site.location: [text for text in literals_of(site) if " " in text] for site in sites()
    }
    assert {location: texts for location, texts in sentences.items() if texts} == {}


def lacks_a_sentence(site: RaiseSite) -> bool:
    """Whether the catalogue has none for the code, a reason, or the facts of one."""
    assert site.code is not None
    if site.code not in CATALOGUE or not site.reasons <= CATALOGUE[site.code].sentences.keys():
        return True
    return any(not facts_of(site.code, reason) <= site.facts for reason in site.reasons)


def test_the_catalogue_has_a_sentence_for_the_facts_of_an_error() -> None:
    checked = [site for site in coded() if site.code is not None]
    assert [site.location for site in checked if lacks_a_sentence(site)] == []


def sentence_of_decision(site: RaiseSite) -> str:
    """The reason in the catalogue for a decision that cannot be applied."""
    path, reason = site.call.args
    wanted = str(_literal(reason))
    is_of_lines = isinstance(path, ast.Constant) and path.value is None
    return f"lines_{wanted}" if is_of_lines else wanted


def test_the_catalogue_has_a_sentence_for_a_decision_that_cannot_be_applied() -> None:
    reasons = {
        site.location: sentence_of_decision(site)
        for site in sites()
        if site.name == "MergeResolutionError"
    }
    known = CATALOGUE["bad_resolution"].sentences
    assert reasons
    assert {where: reason for where, reason in reasons.items() if reason not in known} == {}


def test_only_these_codes_depend_on_what_was_found() -> None:
    locations = {site.location.partition(":")[0] for site in coded() if site.code is None}
    assert locations == {"github/protocol/refusals.py", "stores/database/failures.py"}


@pytest.mark.parametrize(
    "noun",
    [
        *("file", "making", "modified file", "project", "release", "release file", "reset"),
        *("revision", "sync"),
        *("account", "federation rule", "grant", "session", "token"),
    ],
)
def test_what_is_not_found_has_a_sentence(noun: str) -> None:
    assert errors.NotFoundError(noun, "x" * 500).code in CATALOGUE
    assert errors.NotFoundError(noun, "x" * 500).facts == {"id": "x" * 100}


def test_every_code_is_given_to_some_error() -> None:
    given = {site.code for site in coded() if site.code is not None}
    package = "\n".join(
        path.read_text()
        for path in ROOT.rglob("*.py")
        if "messages" not in path.relative_to(ROOT).parts
    )
    left = {code for code in CATALOGUE.keys() - given if not code.endswith("_not_found")}
    assert [code for code in sorted(left) if f'"{code}"' not in package] == []


def test_a_field_has_a_name_for_programs_and_people() -> None:
    named = {
        _literal(keyword.value)
        for site in sites()
        for keyword in site.call.keywords
        if keyword.arg == "field"
    }
    assert named - {None} <= FIELDS.keys()
