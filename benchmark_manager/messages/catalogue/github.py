"""Messages about GitHub: what it lacks, refuses, or fails to answer."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

_KEPT: Final = "What was copied before is unchanged."
_KEPT_KOREAN: Final = "이미 복사한 것은 그대로입니다."

MESSAGES: Final[Mapping[str, Message]] = {
    "repository_not_found": one_sentence(
        422,
        en="GitHub shows no repository {repository} to this token; check the address, and that the "
        "token may read the repository.",
        ko="이 토큰으로는 GitHub에서 {repository} 저장소가 보이지 않습니다. 주소와 토큰의 저장소 "
        "읽기 권한을 확인하세요.",
    ),
    "repository_empty": one_sentence(
        422,
        en="The repository {repository} has no commit yet.",
        ko="{repository} 저장소에 아직 커밋이 없습니다.",
    ),
    "commit_not_found": Message(
        422,
        {
            "": Sentence(
                "The repository {repository} has no commit {name!r}; everything copied so far is "
                "kept.",
                "{repository} 저장소에 커밋 {name!r}이(가) 없습니다. 지금까지 복사한 것은 모두 "
                "그대로입니다.",
            ),
            "gone": Sentence(
                "The repository {repository} has no commit {name} any more; sync the project, then "
                "ask again.",
                "{repository} 저장소에 커밋 {name}이(가) 더 이상 없습니다. 프로젝트를 동기화한 "
                "뒤 다시 시도하세요.",
            ),
        },
    ),
    "branch_not_found": Message(
        422,
        {
            "": Sentence(
                "The repository {repository} has no branch {name!r}; everything copied so far is "
                "kept.",
                "{repository} 저장소에 브랜치 {name!r}이(가) 없습니다. 지금까지 복사한 것은 모두 "
                "그대로입니다.",
            ),
            "default": Sentence(
                "The repository {repository} has no default branch; everything copied so far is "
                "kept.",
                "{repository} 저장소에 기본 브랜치가 없습니다. 지금까지 복사한 것은 모두 "
                "그대로입니다.",
            ),
            "tag": Sentence(
                "The repository {repository} has no branch {name!r}; everything copied so far is "
                "kept. There is a tag of this name: to read it, choose the kind tag.",
                "{repository} 저장소에 브랜치 {name!r}이(가) 없습니다. 지금까지 복사한 것은 모두 "
                "그대로입니다. 같은 이름의 태그가 "
                "있으니, 이 태그를 읽으려면 종류로 태그를 고르세요.",
                hint="Give the project ref: {declared}.",
            ),
            "address": Sentence(
                "The repository has no branch or tag with whose name this address continues; give "
                "the repository's address, branch and folders by themselves.",
                "저장소에 이 주소에 이어지는 이름의 브랜치나 태그가 없습니다. 저장소 주소, "
                "브랜치, 폴더를 따로 입력하세요.",
            ),
        },
    ),
    "tag_not_found": one_sentence(
        422,
        en="The repository {repository} has no tag {name!r}; everything copied so far is kept.",
        ko="{repository} 저장소에 태그 {name!r}이(가) 없습니다. 지금까지 복사한 것은 모두 "
        "그대로입니다.",
    ),
    "github_unauthorized": Message(
        422,
        {
            "token": Sentence(
                "GitHub does not accept the token; enter a valid one.",
                "GitHub가 토큰을 받아들이지 않습니다. 유효한 토큰을 입력하세요.",
            ),
            "no_token": Sentence(
                "GitHub does not accept the request; the repository needs a token.",
                "GitHub가 요청을 받아들이지 않습니다. 이 저장소에는 토큰이 필요합니다.",
            ),
            "app": Sentence(
                "GitHub does not accept the service's App; check GITHUB_APP_ID, its private key "
                "and "
                "this machine's clock.",
                "GitHub가 서비스의 App을 받아들이지 않습니다. GITHUB_APP_ID, 개인 키, 이 "
                "컴퓨터의 시계를 확인하세요.",
            ),
        },
    ),
    "github_forbidden": Message(
        422,
        {
            "token": Sentence(
                "GitHub denies access to {repository}; give the token read access to the "
                "repository's "
                "contents.",
                "GitHub가 {repository} 접근을 거부합니다. 토큰에 저장소 내용 읽기 권한을 주세요.",
            ),
            "app": Sentence(
                "GitHub does not let the service's App read this repository (status {status}); "
                "check "
                "that its installation is neither suspended nor removed.",
                "GitHub가 서비스의 App에 이 저장소 읽기를 허용하지 않습니다(상태 {status}). "
                "설치가 중지되거나 삭제되지 않았는지 "
                "확인하세요.",
            ),
        },
    ),
    "tree_too_large": one_sentence(
        422,
        en="GitHub cannot list the folder {folder} completely, not even by itself; choose a "
        "smaller "
        "config or job folder.",
        ko="GitHub가 {folder} 폴더의 목록을 따로 물어도 끝까지 주지 못합니다. 더 작은 config "
        "또는 job 폴더를 고르세요.",
    ),
    "github_unavailable": Message(
        502,
        {
            "timeout": Sentence(
                "GitHub did not answer in time.", "GitHub가 제때 응답하지 않았습니다."
            ),
            "timeout_unchanged": Sentence(
                f"GitHub did not answer in time. {_KEPT}",
                f"GitHub가 제때 응답하지 않았습니다. {_KEPT_KOREAN}",
            ),
            "tried": Sentence(
                f"{{what}}; tried {{tries}} times. {_KEPT}",
                f"GitHub에서 읽지 못했습니다({{what}}). {{tries}}번 시도했습니다. {_KEPT_KOREAN}",
            ),
            "tried_with_fewer": Sentence(
                f"{{what}}; tried {{tries}} times, for fewer repositories each time. {_KEPT}",
                f"GitHub에서 읽지 못했습니다({{what}}). 저장소 수를 줄여 가며 {{tries}}번 "
                f"시도했습니다. {_KEPT_KOREAN}",
            ),
            "archive_tried": Sentence(
                f"{{what}}; the archive was tried {{tries}} times. {_KEPT}",
                f"GitHub에서 압축 파일을 읽지 못했습니다({{what}}). {{tries}}번 시도했습니다. "
                f"{_KEPT_KOREAN}",
            ),
            "no_archive": Sentence(
                f"{{what}}. {_KEPT}", f"GitHub에 압축 파일이 없습니다({{what}}). {_KEPT_KOREAN}"
            ),
            "no_archives_before": Sentence(
                f"GitHub gives no archives before {{until:%H:%M:%S}} UTC. {_KEPT}",
                f"GitHub가 {{until:%H:%M:%S}} UTC까지 압축 파일을 주지 않습니다. {_KEPT_KOREAN}",
            ),
            "later": Sentence(
                "GitHub answered {status} and asks to wait until {until:%Y-%m-%d %H:%M:%S} UTC. "
                f"{_KEPT}",
                "GitHub가 상태 {status}(으)로 답했고 {until:%Y-%m-%d %H:%M:%S} UTC까지 기다리라고 "
                "합니다. "
                f"{_KEPT_KOREAN}",
            ),
            "redirected_in_circle": Sentence(
                "GitHub redirected the request in a circle.",
                "GitHub의 리디렉션이 제자리로 돌아옵니다.",
            ),
            "redirected_nowhere": Sentence(
                "GitHub redirected the request to an invalid address.",
                "GitHub가 요청을 잘못된 주소로 리디렉션했습니다.",
            ),
            "redirected_away": Sentence(
                "GitHub redirected the request away from {api_url}; this service follows redirects "
                "within it only.",
                "GitHub가 요청을 {api_url} 밖으로 리디렉션했습니다. 이 서비스는 그 안의 "
                "리디렉션만 따라갑니다.",
            ),
            "unexpected_status": Sentence(
                "GitHub answered {status}, which it never should here.",
                "GitHub가 여기서는 있을 수 없는 상태 {status}(으)로 답했습니다.",
            ),
        },
    ),
    "github_rate_limited": Message(
        503,
        {
            "token": Sentence(
                "GitHub's rate limit for this token is used up until {until:%Y-%m-%d %H:%M:%S} "
                "UTC; "
                "the service tries again then.",
                "이 토큰의 GitHub 요청 한도를 {until:%Y-%m-%d %H:%M:%S} UTC까지 다 썼습니다. "
                "그때 다시 시도합니다.",
            ),
            "no_token": Sentence(
                "GitHub's rate limit for requests without a token (give the project one: it allows "
                "5,000 an hour) is used up until {until:%Y-%m-%d %H:%M:%S} UTC; the service tries "
                "again then.",
                "토큰 없는 요청의 GitHub 한도를 {until:%Y-%m-%d %H:%M:%S} UTC까지 다 썼습니다. "
                "그때 다시 시도합니다. 프로젝트에 "
                "토큰을 넣으면 한 시간에 5,000번까지 요청할 수 있습니다.",
            ),
        },
    ),
}
