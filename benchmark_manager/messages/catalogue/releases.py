"""Messages about releases."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, one_sentence

MESSAGES: Final[Mapping[str, Message]] = {
    "release_not_found": one_sentence(
        404,
        en="There is no release {id!r}.",
        ko="{id!r} 릴리스가 없습니다. 프로젝트와 함께 삭제되었을 수 있습니다.",
    ),
    "release_file_not_found": one_sentence(
        404, en="There is no release file {id!r}.", ko="릴리스에 {id!r} 파일이 없습니다."
    ),
    "making_not_found": one_sentence(
        404, en="There is no making {id!r}.", ko="릴리스에 {id}번 생성 기록이 없습니다."
    ),
    "digest_ambiguous": one_sentence(
        409,
        en="Several releases begin with {digits}; give more of the digest.",
        ko="{digits}(으)로 시작하는 릴리스가 여럿입니다. 다이제스트를 더 길게 입력하세요.",
    ),
    "release_file_ambiguous": one_sentence(
        409,
        en="The release has no {path!r} but {names!r}; ask for one of them.",
        ko="릴리스에 {path!r}은(는) 없고 {names!r}이(가) 있습니다. 그중 하나를 고르세요.",
    ),
    "nothing_to_release": one_sentence(
        422,
        en="The project has no such files; sync it first, or choose others.",
        ko="그런 파일이 없습니다. 먼저 프로젝트를 동기화하거나 다른 파일을 포함하세요.",
        hint="Which files go in is the field `include`.",
    ),
    "path_clash": one_sentence(
        422,
        en="{path!r} is a file, and {other!r} needs a folder of that name; leave one of them out.",
        ko="{path!r}은(는) 파일인데 {other!r}에는 같은 이름의 폴더가 필요합니다. 둘 중 하나를 "
        "빼세요.",
        hint="The field is `modified_file_ids`.",
    ),
    "substitute_mismatch": one_sentence(
        422,
        en="The variant {id!r} is one of {other!r}, and cannot stand in place of {path!r}.",
        ko="수정본 {id!r}은(는) {other!r}의 수정본이라 {path!r} 자리에 쓸 수 없습니다.",
        hint="The field is `substitute`.",
    ),
    "digest_too_short": one_sentence(
        422,
        en="Give at least {limit} hex digits of the release's digest; these are {count}.",
        ko="다이제스트를 16진수 {limit}자리 이상 입력하세요. 지금은 {count}자리입니다.",
    ),
    "archive_path_unsafe": one_sentence(
        422,
        en="The release has a file {path!r}, which some programs would unpack elsewhere; fetch its "
        "files one by one.",
        ko="릴리스에 압축 파일에 넣기에 안전하지 않은 경로 {path!r}이(가) 있습니다. 파일을 "
        "하나씩 내려받으세요.",
    ),
    "configmap_too_large": one_sentence(
        422,
        en="The release has {size} bytes; a ConfigMap may have at most {limit}. Fetch the archive "
        "instead.",
        ko="릴리스가 {size}바이트입니다. ConfigMap은 {limit}바이트까지입니다. 압축 파일을 "
        "내려받으세요.",
    ),
    "configmap_key_invalid": one_sentence(
        422,
        en="The path {path!r} can be no key of a ConfigMap: keys are at most 253 of A-Z a-z 0-9 - "
        "_ . "
        "and do not begin with two dots; fetch the archive instead.",
        ko="경로 {path!r}은(는) ConfigMap의 키로 쓸 수 없습니다. 키는 A-Z, a-z, 0-9, -, _, .로 된 "
        "253자 이내이며 점 두 "
        "개로 시작할 수 없습니다. 압축 파일을 내려받으세요.",
    ),
    "configmap_key_clash": one_sentence(
        422,
        en="The paths {other!r} and {path!r} would have the same key {key!r}; fetch the archive "
        "instead.",
        ko="경로 {other!r}와(과) {path!r}이(가) 같은 키 {key!r}을(를) 갖게 됩니다. 압축 파일을 "
        "내려받으세요.",
    ),
}
