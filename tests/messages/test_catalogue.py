"""The catalogue is whole: statuses, both languages, and the facts that the sentences name."""

import re
from string import Formatter
from typing import get_args

import pytest

from benchmark_manager.domain.results.parsing.collector import ProblemCode
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.messages import CATALOGUE, detail, stored_words, words
from benchmark_manager.messages.examples import FACTS, example
from benchmark_manager.messages.fields import FIELDS, label
from benchmark_manager.messages.message import Sentence
from benchmark_manager.messages.result_problems import problem_words
from benchmark_manager.messages.stored import KOREAN
from benchmark_manager.messages.titles import http_title, page_title
from benchmark_manager.models.access.principal import Role
from benchmark_manager.web.site.languages import catalogue, translations

SENTENCES = [
    pytest.param(code, reason, id=f"{code} {reason}".strip())
    for code, message in CATALOGUE.items()
    for reason in message.sentences
]
STATUSES = sorted({message.status for message in CATALOGUE.values()})
HANGUL = re.compile("[가-힣]")


def facts_of(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def sentence_of(code: str, reason: str) -> Sentence:
    return CATALOGUE[code].sentences[reason]


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_code_has_the_status_of_an_error_and_texts_by_reason(code: str) -> None:
    reasons = CATALOGUE[code].sentences.keys()
    assert 400 <= CATALOGUE[code].status < 600
    assert reasons
    assert [reason for reason in reasons if not re.fullmatch("[a-z_]*", reason)] == []


@pytest.mark.parametrize(("code", "reason"), SENTENCES)
def test_a_text_is_a_sentence_in_both_languages(code: str, reason: str) -> None:
    text = sentence_of(code, reason)
    assert HANGUL.search(text.ko)
    assert not HANGUL.search(text.en + text.hint)
    assert text.en.endswith((".", "{cause}"))
    assert text.ko.endswith((".", "{cause}"))
    assert text.hint == "" or text.hint.endswith(".")


@pytest.mark.parametrize(("code", "reason"), SENTENCES)
def test_the_languages_name_no_other_facts(code: str, reason: str) -> None:
    text = sentence_of(code, reason)
    assert facts_of(text.ko) <= facts_of(text.en)
    assert facts_of(text.one) <= facts_of(text.en)
    assert bool(text.one) <= ("count" in facts_of(text.en))


@pytest.mark.parametrize(("code", "reason"), SENTENCES)
def test_a_text_is_rendered_for_programs_and_people(code: str, reason: str) -> None:
    """An example of each fact fills it; names of the API's fields are for programs only."""
    error = example(code, reason)
    assert facts_of(sentence_of(code, reason).en + sentence_of(code, reason).hint) <= FACTS.keys()
    assert detail(error).endswith(".")
    assert "config_folder" not in words(error, "en") + words(error, "ko")


def test_hints_are_for_programs_only() -> None:
    error = example("nothing_to_release")
    assert detail(error).endswith(" Which files go in is the field `include`.")
    assert "`include`" not in words(error, "en") + words(error, "ko")


def test_one_is_counted_in_the_singular() -> None:
    assert detail(BenchmarkManagerError("merge_unresolved", count=1)).startswith("1 conflict has")
    assert detail(BenchmarkManagerError("merge_unresolved", count=2)).startswith("2 conflicts have")


def test_a_field_has_its_name_in_the_api_for_programs_and_a_label_for_people() -> None:
    error = BenchmarkManagerError("invalid_name", "dots", field="variant_name")
    assert detail(error) == "modified_name must not be `.` or `..`."
    assert words(error, "en") == "The name must not be `.` or `..`."
    assert words(error, "ko").startswith("이름: ")


def test_a_cause_is_in_the_same_language() -> None:
    cause = BenchmarkManagerError("github_unavailable", "timeout")
    error = BenchmarkManagerError("ambiguous_address", cause=cause)
    assert detail(error).endswith("GitHub did not answer in time.")
    assert words(error, "ko").endswith("GitHub가 제때 응답하지 않았습니다.")


@pytest.mark.parametrize(
    ("reason", "in_english", "in_korean"),
    [
        ("", "This needs the role maintainer.", "이 작업에는 관리(maintainer) 역할이 필요합니다."),
        (
            "everywhere",
            "This needs the role maintainer in all projects.",
            "이 작업에는 모든 프로젝트에서의 관리(maintainer) 역할이 필요합니다.",
        ),
    ],
    ids=["one project", "all projects"],
)
def test_a_refusal_says_whether_the_role_is_for_all_projects(
    reason: str, in_english: str, in_korean: str
) -> None:
    error = BenchmarkManagerError("forbidden", reason, role_needed="maintainer")
    assert (words(error, "en"), words(error, "ko")) == (in_english, in_korean)


@pytest.mark.parametrize("role", get_args(Role))
def test_korean_names_a_role_as_pages_do(role: Role) -> None:
    error = BenchmarkManagerError("forbidden", role_needed=role)
    on_pages = translations("ko").gettext(role)
    assert words(error, "ko") == f"이 작업에는 {on_pages} 역할이 필요합니다."


def test_names_are_listed() -> None:
    error = BenchmarkManagerError("release_file_ambiguous", path="a", names=("b", "c\n"))
    assert detail(error) == "The release has no 'a' but 'b', 'c\\n'; ask for one of them."


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_has_a_label_in_both_languages(field: str) -> None:
    assert HANGUL.search(label(field, "ko"))
    assert not HANGUL.search(label(field, "en"))


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_has_titles(status: int) -> None:
    assert http_title(status)
    assert HANGUL.search(page_title(status, "ko"))
    assert not HANGUL.search(page_title(status, "en"))


@pytest.mark.parametrize("code", KOREAN)
def test_what_is_stored_of_a_sync_is_shown_in_korean_by_its_code(code: str) -> None:
    assert HANGUL.search(stored_words(code, "The stored sentence.", "ko"))
    assert stored_words(code, "The stored sentence.", "en") == "The stored sentence."


def test_what_no_version_knows_is_shown_as_it_is_stored() -> None:
    assert stored_words("newer_code", "The stored sentence.", "ko") == "The stored sentence."


@pytest.mark.parametrize("code", get_args(ProblemCode))
def test_a_problem_of_a_file_of_results_is_shown_in_korean_by_its_code(code: str) -> None:
    korean = problem_words(code, "The stored sentence.", "", "ko")
    assert HANGUL.search(korean)
    assert korean.endswith(".")
    assert problem_words(code, "The stored sentence.", "", "en") == "The stored sentence."


def test_what_a_problem_names_follows_in_korean() -> None:
    names = "a, b and 1,203 more"
    assert problem_words("not_finite", "Stored.", names, "ko").endswith(": a, b 외 1,203개.")


@pytest.mark.parametrize(
    "other",
    ["암호(?!화)", "페더레이션", "실행기", "물러난", "취소된 토큰"],
    ids=["password", "federation", "runner", "retired", "revoked"],
)
def test_korean_has_one_word_for_a_thing(other: str) -> None:
    pages = [str(message.string) for message in catalogue("ko")]
    errors = [
        sentence.ko for message in CATALOGUE.values() for sentence in message.sentences.values()
    ]
    assert [text for text in [*pages, *errors] if re.search(other, text)] == []
