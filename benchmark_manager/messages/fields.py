"""What a field of a request is called: by the domain, in the API, and on the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FieldName:
    """`wire` is the name in the API and in forms, `en` and `ko` are what pages call the field."""

    wire: str
    en: str
    ko: str


#: By the names of the domain.
FIELDS: Final[Mapping[str, FieldName]] = {
    "account_name": FieldName("name", "The name", "이름"),
    "address": FieldName("github_repo_url", "The address", "주소"),
    "against": FieldName("against", "What it is compared with", "비교 대상"),
    "audience": FieldName("audience", "The audience", "대상(audience)"),
    "axes": FieldName("axes", "The axes", "축"),
    "baseline": FieldName("baseline", "The baseline", "기준선"),
    "body": FieldName("body", "The body", "본문"),
    "branch": FieldName("branch", "The branch", "브랜치"),
    "config_folder": FieldName("config_folder", "The folder", "폴더"),
    "config_map_name": FieldName("name", "The name", "이름"),
    "content": FieldName("content", "The content", "내용"),
    "contents": FieldName("contents", "What else a cell holds", "셀에 담을 나머지 파일"),
    "cursor": FieldName("cursor", "The position", "위치"),
    "digest": FieldName("digest", "The digest", "다이제스트"),
    "definition": FieldName("definition", "The definition", "정의"),
    "exclude": FieldName("exclude", "this list", "이 목록"),
    "excluded": FieldName("exclude", "The list of what is left out", "제외 목록"),
    "expires_at": FieldName("expires_at", "The expiry", "만료 시각"),
    "file": FieldName("file", "The file", "파일"),
    "file_name": FieldName("name", "The name", "이름"),
    "group_name": FieldName("id", "The group's name", "그룹 이름"),
    "include": FieldName("include", "this list", "이 목록"),
    "issuer": FieldName("issuer", "The issuer", "발급자"),
    "job_folder": FieldName("job_folder", "The folder", "폴더"),
    "label": FieldName("name", "The name", "이름"),
    "labels": FieldName("labels", "The labels", "라벨"),
    "link_vars": FieldName("link_vars", "The linked variables", "연결한 변수"),
    "metrics": FieldName("metrics", "The metrics", "지표"),
    "note": FieldName("note", "The note", "메모"),
    "original_id": FieldName("original_file_id", "The original", "원본"),
    "pareto": FieldName("pareto", "The trade-off", "상충 비교"),
    "password": FieldName("password", "The password", "비밀번호"),
    "project_id": FieldName("project_id", "The project", "프로젝트"),
    "query": FieldName("q", "The query", "검색어"),
    "receipt": FieldName("receipt", "The receipt", "수령 기록"),
    "ref": FieldName("ref", "The name", "이름"),
    "release": FieldName("release", "The release", "릴리스"),
    "releases": FieldName("releases", "The releases", "릴리스"),
    "resolutions": FieldName("resolutions", "The decisions", "결정"),
    "result_file_name": FieldName("file_name", "The file's name", "파일 이름"),
    "subject": FieldName("subject", "The subject", "주체(sub)"),
    "substitutes": FieldName("substitute", "The choice", "선택"),
    "sweep": FieldName("sweep", "The sweep", "스윕"),
    "token": FieldName("github_token", "The token", "토큰"),
    "tool": FieldName("tool", "The tool", "도구"),
    "variant_ids": FieldName("modified_file_ids", "The variants", "수정본"),
    "variant_name": FieldName("modified_name", "The name", "이름"),
}


def wire_name(field: str) -> str:
    """Return a field's name in the API and in forms; one that is not listed has the same name."""
    return FIELDS[field].wire if field in FIELDS else field


def label(field: str, language: str) -> str:
    """Return what a page calls a field."""
    name = FIELDS.get(field)
    if name is None:
        return field
    return name.ko if language == "ko" else name.en
