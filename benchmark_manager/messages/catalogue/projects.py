"""Messages about projects: their names, addresses, refs, folders, patterns and tokens."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

MESSAGES: Final[Mapping[str, Message]] = {
    "project_not_found": one_sentence(
        404,
        en="There is no project {id!r}.",
        ko="{id!r} 프로젝트가 없습니다. 삭제되었을 수 있습니다.",
    ),
    "file_not_found": Message(
        404,
        {
            "": Sentence(
                "There is no file {id!r}.",
                "{id!r} 파일이 없습니다. 저장소에서 사라졌을 수 있습니다.",
            ),
            "swept": Sentence(
                "{field}: the project has no original {path!r} now.",
                "{field}: 프로젝트에 지금 {path!r} 원본이 없습니다.",
            ),
            "swept_variant": Sentence(
                "{field}: the project has no variant {id!r}.",
                "{field}: 프로젝트에 {id!r} 수정본이 없습니다.",
            ),
        },
        other_statuses={"swept": 422, "swept_variant": 422},
    ),
    "sync_not_found": one_sentence(
        404,
        en="There is no sync {id!r}.",
        ko="{id!r} 동기화 기록이 없습니다. 오래된 기록은 시간이 지나면 삭제됩니다.",
    ),
    "project_name_taken": Message(
        409,
        {
            "same": Sentence(
                "There is a project named {taken!r} already; choose another name.",
                "이름이 {taken!r}인 프로젝트가 이미 있습니다. 다른 이름을 고르세요.",
            ),
            "equivalent": Sentence(
                "There is a project named {taken!r} already, which counts as the same name as "
                "{name!r}; choose another name.",
                "이름이 {taken!r}인 프로젝트가 이미 있습니다. {name!r}의 대소문자 또는 글자를 "
                "적는 방식만 달라 같은 이름입니다. "
                "다른 이름을 고르세요.",
            ),
        },
    ),
    "not_synced": one_sentence(
        409,
        en="The project's repository has not been read yet; sync the project, then ask again.",
        ko="저장소를 아직 읽지 않았습니다. 먼저 프로젝트를 동기화하세요.",
    ),
    "invalid_github_url": Message(
        422,
        {
            "form": Sentence(
                "Give the repository as https://github.com/OWNER/REPO, also with "
                "/tree/BRANCH/FOLDER, its API address, git@github.com:OWNER/REPO.git or "
                "OWNER/REPO.",
                "저장소를 https://github.com/OWNER/REPO(뒤에 /tree/BRANCH/FOLDER 가능), API 주소, "
                "git@github.com:OWNER/REPO.git 또는 OWNER/REPO 형식으로 입력하세요.",
            ),
            "credentials": Sentence(
                "The address must have no user name or token; enter the token by itself.",
                "주소에는 사용자 이름이나 토큰을 쓸 수 없습니다. 토큰은 따로 입력하세요.",
                hint="Its field is `github_token`.",
            ),
            "commit": Sentence(
                "The address names no commit by all 40 digits of its id.",
                "주소의 커밋 ID가 40자리 전체가 아닙니다.",
            ),
            "ref": Sentence(
                "The address names no {kind} that git accepts.",
                "주소에 있는 {kind} 이름은 Git이 허용하지 않습니다.",
            ),
        },
    ),
    "github_url_not_allowed": Message(
        422,
        {
            "": Sentence(
                "This service uses {api_urls} only; add the address's API base to GITHUB_API_URLS.",
                "이 서비스는 {api_urls}에만 접속합니다. 주소의 API 기본 주소를 GITHUB_API_URLS에 "
                "더하세요.",
            ),
            "removed": Sentence(
                "GITHUB_API_URLS does not list {api_url} any more; list it again, or give the "
                "project "
                "another repository.",
                "GITHUB_API_URLS에 {api_url}이(가) 더 이상 없습니다. 다시 넣거나 프로젝트에 다른 "
                "저장소를 지정하세요.",
            ),
        },
    ),
    "ambiguous_address": one_sentence(
        422,
        en="Only GitHub knows where the branch's name ends in this address, and it could not be "
        "asked; give the repository's address, branch and folders by themselves. {cause}",
        ko="이 주소에서 브랜치 이름이 어디까지인지는 GitHub만 아는데 물을 수 없었습니다. 저장소 "
        "주소, 브랜치, 폴더를 따로 "
        "입력하세요. {cause}",
    ),
    "contradictory_ref": Message(
        422,
        {
            "two_refs": Sentence(
                "The branch and the ref differ; give one of them.",
                "브랜치와 ref의 내용이 서로 다릅니다. 하나만 입력하세요.",
                hint="They are the fields `branch` and `ref`.",
            ),
            "address": Sentence(
                "The address continues with another branch, tag or folder than the branch or ref "
                "that was given; give one of them, or the repository's address and the folder.",
                "주소에 있는 브랜치, 태그 또는 폴더가 따로 입력한 브랜치나 ref와 다릅니다. 하나만 "
                "입력하거나, 저장소 주소와 "
                "폴더를 따로 입력하세요.",
            ),
        },
    ),
    "invalid_branch": Message(
        422,
        {
            "name": Sentence(
                "{field} must be a name that git accepts for a branch.",
                "{field}: Git이 브랜치 이름으로 허용하지 않습니다.",
            ),
            "commit": Sentence(
                "{field} is a commit's id; choose the kind commit to read that commit.",
                "{field}: 커밋 ID입니다. 이 커밋을 읽으려면 종류로 커밋을 고르세요.",
                hint='Give it as ref: {{"kind": "commit", "name": …}}.',
            ),
            "full_name": Sentence(
                "{field} is the full name of something else; choose the kind tag to read a tag.",
                "{field}: 브랜치가 아닌 다른 것의 전체 이름입니다. 태그를 읽으려면 종류로 태그를 "
                "고르세요.",
                hint='Give it as ref: {{"kind": "tag", "name": …}}.',
            ),
        },
    ),
    "invalid_ref": Message(
        422,
        {
            "other_kind": Sentence(
                "{field} is the name of something else than a {kind}.",
                "{field}: 다른 것의 이름이며 {kind} 이름이 아닙니다.",
            ),
            "name": Sentence(
                "{field} must be a name that git accepts for a {kind}.",
                "{field}: Git이 {kind} 이름으로 허용하지 않습니다.",
            ),
            "short_id": Sentence(
                "{field} is only the beginning of a commit's id; give all 40 digits, which stay "
                "unambiguous.",
                "{field}: 커밋 ID의 앞부분뿐입니다. 언제나 하나만 가리키는 40자리 전체를 "
                "입력하세요.",
            ),
            "no_id": Sentence(
                "{field} is no commit's id of 40 hexadecimal digits.",
                "{field}: 16진수 40자리의 커밋 ID가 아닙니다.",
            ),
        },
    ),
    "invalid_folder": Message(
        422,
        {
            "control": Sentence(
                "{field} must not have control characters.",
                "{field}: 제어 문자를 쓸 수 없습니다.",
            ),
            "backslash": Sentence(
                "{field} must not have backslashes; folders are separated by /.",
                "{field}: 역슬래시를 쓸 수 없습니다. 폴더는 /로 나눕니다.",
            ),
            "outside": Sentence(
                "{field} must not leave the repository with `..`.",
                "{field}: `..`로 저장소 밖을 가리킬 수 없습니다.",
            ),
            "empty_segment": Sentence(
                "{field} must not have empty or `.` segments.",
                "{field}: 빈 부분이나 `.` 부분이 있을 수 없습니다.",
            ),
            "too_long": Sentence(
                "{field} must be at most {limit} bytes long.",
                "{field}: {limit}바이트 이내여야 합니다.",
            ),
        },
    ),
    "invalid_pattern": Message(
        422,
        {
            "too_many": Sentence(
                "There may be at most {limit} patterns in {field}.",
                "{field}: 패턴은 {limit}개까지 쓸 수 있습니다.",
            ),
            "empty": Sentence(
                "Pattern {number} of {field} is empty.",
                "{field}의 {number}번째 패턴이 비어 있습니다.",
            ),
            "too_long": Sentence(
                "Pattern {number} of {field} must be at most {limit} characters long.",
                "{field}의 {number}번째 패턴은 {limit}자 이내여야 합니다.",
            ),
            "control": Sentence(
                "Pattern {number} of {field} must not have control characters.",
                "{field}의 {number}번째 패턴에는 제어 문자를 쓸 수 없습니다.",
            ),
            "negated": Sentence(
                "Pattern {number} of {field} must not begin with `!`: use the other list, or "
                "`\\!` for "
                "a name that begins so.",
                "{field}의 {number}번째 패턴은 `!`로 시작할 수 없습니다. 다른 목록을 쓰거나, "
                "그렇게 시작하는 이름이라면 "
                "`\\!`로 쓰세요.",
            ),
            "comment": Sentence(
                "Pattern {number} of {field} must not begin with `#`: there are no comments here; "
                "write `\\#` for a name that begins so.",
                "{field}의 {number}번째 패턴은 `#`로 시작할 수 없습니다. 주석은 쓸 수 없으며, "
                "그렇게 시작하는 이름이라면 "
                "`\\#`로 쓰세요.",
            ),
            "too_deep": Sentence(
                "Pattern {number} of {field} must name at most {limit} folders.",
                "{field}의 {number}번째 패턴에는 폴더를 {limit}개까지 쓸 수 있습니다.",
            ),
            "dots": Sentence(
                "Pattern {number} of {field} must not have `.`, `..` or nothing between slashes: "
                "it "
                "begins at the repository's root.",
                "{field}의 {number}번째 패턴은 저장소의 맨 위에서 시작하므로 슬래시 사이에 `.`, "
                "`..` 또는 빈 부분을 쓸 수 "
                "없습니다.",
            ),
            "backslash": Sentence(
                "Pattern {number} of {field} has a backslash with nothing behind it.",
                "{field}의 {number}번째 패턴에 뒤가 비어 있는 역슬래시가 있습니다.",
            ),
            "bracket": Sentence(
                "Pattern {number} of {field} has a `[` that is not closed; write `\\[` for the "
                "character itself.",
                "{field}의 {number}번째 패턴에 닫지 않은 `[`가 있습니다. 글자 자체라면 `\\[`로 "
                "쓰세요.",
            ),
            "class": Sentence(
                "Pattern {number} of {field} must not have classes such as `[:alpha:]`; write the "
                "range, such as `a-z`.",
                "{field}의 {number}번째 패턴에는 `[:alpha:]` 같은 문자 클래스를 쓸 수 없습니다. "
                "`a-z`처럼 범위를 쓰세요.",
            ),
        },
    ),
    "invalid_token": one_sentence(
        422,
        en="{field} must be 1 to {limit} printable ASCII characters without spaces.",
        ko="{field}: 공백 없이 출력 가능한 ASCII 문자 1~{limit}자여야 합니다.",
    ),
    "token_unreadable": Message(
        422,
        {
            "key": Sentence(
                "The stored GitHub token was encrypted with another SECRET_KEY; enter the token "
                "again.",
                "저장된 GitHub 토큰이 다른 SECRET_KEY로 암호화되었습니다. 토큰을 다시 입력하세요.",
            ),
            "repository": Sentence(
                "The stored GitHub token was given for another project or repository; enter the "
                "token "
                "again.",
                "저장된 GitHub 토큰은 다른 프로젝트나 저장소용입니다. 토큰을 다시 입력하세요.",
            ),
        },
    ),
}
