"""Korean for what is stored of a sync: its code and an English sentence, but no facts."""

from collections.abc import Mapping
from typing import Final

KOREAN: Final[Mapping[str, str]] = {
    "branch_not_found": "저장소에 그런 브랜치가 없습니다.",
    "change_too_large": "데이터베이스가 한 번에 바꿀 수 있는 양을 넘었습니다. 바뀐 것은 없습니다.",
    "commit_not_found": "GitHub에 이 커밋이 더 이상 없습니다.",
    "database_denied": "데이터베이스가 허용하지 않습니다. 데이터베이스 사용자의 권한이 부족합니다.",
    "database_failed": "데이터베이스에 오류가 났습니다. 자세한 내용은 서비스 로그에 있습니다.",
    "database_overloaded": (
        "데이터베이스의 시간이나 메모리가 모자라 처리하지 못했습니다. 바뀐 것은 없습니다."
    ),
    "database_unavailable": "데이터베이스가 응답하지 않습니다. 몇 초 뒤 다시 시도하세요.",
    "disk_full": "디스크가 거의 가득 찼습니다. 아무것도 바뀌지 않았습니다.",
    "folder_is_submodule": "폴더 중 하나가 서브모듈이거나 그 안에 있어 파일이 없습니다.",
    "folder_is_symlink": "폴더 중 하나가 심볼릭 링크이거나 그 너머에 있어 파일이 없습니다.",
    "folder_not_found": "브랜치에 폴더 하나가 없어 그 폴더의 파일이 없습니다.",
    "github_forbidden": "GitHub가 저장소 접근을 거부합니다.",
    "github_rate_limited": "GitHub 요청 한도를 다 썼습니다.",
    "github_unauthorized": "GitHub가 토큰을 받아들이지 않습니다. 유효한 토큰을 입력하세요.",
    "github_unavailable": "GitHub에 오류가 있거나 제때 응답하지 않았습니다.",
    "github_url_not_allowed": (
        "이 서비스는 이 주소에 접속할 수 없습니다. 접속할 수 있는 주소는 GITHUB_API_URLS에 "
        "있습니다."
    ),
    "internal_error": "서비스에 오류가 났습니다. 자세한 내용은 로그에 있습니다.",
    "repository_empty": "저장소에 아직 커밋이 없습니다.",
    "repository_not_found": "이 토큰으로는 GitHub에서 그런 저장소가 보이지 않습니다.",
    "tag_not_found": "저장소에 그런 태그가 없습니다.",
    "token_unreadable": (
        "저장된 토큰이 다른 키로, 또는 다른 저장소용으로 암호화되었습니다. 다시 입력하세요."
    ),
    "tree_too_large": "GitHub가 폴더 목록을 끝까지 주지 못합니다.",
}
