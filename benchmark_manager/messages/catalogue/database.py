"""Messages about the database, and about what several replicas do at once."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

MESSAGES: Final[Mapping[str, Message]] = {
    "database_failed": one_sentence(
        500,
        en="The database failed; the service's log says how. Try again, and restart the database "
        "if "
        "it keeps failing.",
        ko="데이터베이스에 오류가 났습니다. 자세한 내용은 서비스 로그에 있습니다. 다시 시도하고, "
        "계속되면 데이터베이스를 다시 "
        "시작하세요.",
    ),
    "database_unavailable": one_sentence(
        503,
        en="The database does not answer; try again in a few seconds.",
        ko="데이터베이스가 응답하지 않습니다. 몇 초 뒤 다시 시도하세요.",
    ),
    "database_overloaded": one_sentence(
        503,
        en="The database ran out of time or memory for this; nothing was changed. Try again in a "
        "moment, and give the database more memory if this continues.",
        ko="데이터베이스의 시간이나 메모리가 모자라 처리하지 못했습니다. 바뀐 것은 없습니다. 잠시 "
        "후 다시 시도하고, 계속되면 "
        "데이터베이스의 메모리를 늘리세요.",
    ),
    "database_denied": one_sentence(
        503,
        en="The database does not allow this; give the user of MONGO_URL the role readWrite.",
        ko="데이터베이스가 허용하지 않습니다. MONGO_URL의 사용자에게 readWrite 역할을 주세요.",
    ),
    "changes_pending": one_sentence(
        503,
        en="A large sync of this project is being applied; ask again in a moment.",
        ko="이 프로젝트의 큰 동기화를 적용하는 중입니다. 잠시 뒤 다시 시도하세요.",
    ),
    "change_too_large": one_sentence(
        507,
        en="This is more than the database accepts in one change; nothing was changed. Give "
        "MongoDB "
        "more memory, or change less at once.",
        ko="데이터베이스가 한 번에 바꿀 수 있는 양을 넘었습니다. 바뀐 것은 없습니다. MongoDB의 "
        "메모리를 늘리거나 한 번에 "
        "조금씩 바꾸세요.",
    ),
    "disk_full": Message(
        503,
        {
            "": Sentence(
                "The database's disk is full; nothing was changed. Free some space on it and try "
                "again.",
                "데이터베이스의 디스크가 가득 찼습니다. 바뀐 것은 없습니다. 공간을 비우고 다시 "
                "시도하세요.",
            ),
            "embedded": Sentence(
                "Only {free} MB are free in {folder}, and the embedded database accepts no changes "
                "below {limit} MB; free some space and try again.",
                "{folder}에 {free} MB만 남아 있습니다. 내장 데이터베이스는 {limit} MB 아래에서는 "
                "변경을 받지 않습니다. 공간을 "
                "비우고 다시 시도하세요.",
            ),
        },
    ),
    "lease_lost": one_sentence(
        503,
        en="Another replica syncs this project now; nothing was applied.",
        ko="다른 복제본이 이 프로젝트를 동기화하고 있습니다. 적용한 것은 없습니다.",
        readers="log",
    ),
    "source_changed": one_sentence(
        503,
        en="The project's settings changed during the sync; sync again.",
        ko="동기화하는 동안 프로젝트의 설정이 바뀌었습니다. 다시 동기화하세요.",
        readers="log",
    ),
    "changes_lost": one_sentence(
        503,
        en="The changes since this position are not known any more; read everything again.",
        ko="이 위치 뒤의 변경을 더 이상 알 수 없습니다. 모두 다시 읽으세요.",
        readers="log",
    ),
}
