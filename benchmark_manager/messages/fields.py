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
    "address": FieldName("github_repo_url", "The address", "주소"),
    "against": FieldName("against", "What it is compared with", "비교 대상"),
    "branch": FieldName("branch", "The branch", "브랜치"),
    "config_folder": FieldName("config_folder", "The folder", "폴더"),
    "config_map_name": FieldName("name", "The name", "이름"),
    "content": FieldName("content", "The content", "내용"),
    "cursor": FieldName("cursor", "The position", "위치"),
    "digest": FieldName("digest", "The digest", "다이제스트"),
    "exclude": FieldName("exclude", "this list", "이 목록"),
    "file_name": FieldName("name", "The name", "이름"),
    "include": FieldName("include", "this list", "이 목록"),
    "job_folder": FieldName("job_folder", "The folder", "폴더"),
    "original_id": FieldName("original_file_id", "The original", "원본"),
    "query": FieldName("q", "The query", "검색어"),
    "ref": FieldName("ref", "The name", "이름"),
    "resolutions": FieldName("resolutions", "The decisions", "결정"),
    "token": FieldName("github_token", "The token", "토큰"),
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
