"""Messages about backups, which only the command line makes and restores."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.message import Message, Sentence, one_sentence

_DAMAGED: Final = (
    "The file is no whole backup of Benchmark Manager (",
    "); restore another one.",
    "파일이 온전한 Benchmark Manager 백업이 아닙니다(",
    "). 다른 백업을 복원하세요.",
)
_WRONG: Final = (
    "The backup does not contain what it names: ",
    "; restore another one into an empty database.",
    "백업의 내용이 목록과 다릅니다(",
    "). 다른 백업을 빈 데이터베이스에 복원하세요.",
)


def _text(frame: tuple[str, str, str, str], en: str, ko: str) -> Sentence:
    before, behind, before_korean, behind_korean = frame
    return Sentence(f"{before}{en}{behind}", f"{before_korean}{ko}{behind_korean}")


MESSAGES: Final[Mapping[str, Message]] = {
    "backup_damaged": Message(
        422,
        {
            "beginning": _text(_DAMAGED, "it does not begin as one", "시작 부분이 백업이 아닙니다"),
            "header": _text(_DAMAGED, "its header has no {name}", "머리말에 {name} 값이 없습니다"),
            "checksum": _text(_DAMAGED, "its checksum is another", "검사합이 다릅니다"),
            "section": _text(_DAMAGED, "a section is none", "구역 하나가 잘못되었습니다"),
            "length": _text(
                _DAMAGED, "a document has an impossible length", "문서 하나의 길이가 잘못되었습니다"
            ),
            "cut": _text(_DAMAGED, "it is cut, or was changed", "잘렸거나 바뀌었습니다"),
            "end": _text(_DAMAGED, "something follows its end", "끝 뒤에 다른 내용이 있습니다"),
            "unreadable": _text(
                _DAMAGED, "a part of it cannot be read", "읽을 수 없는 부분이 있습니다"
            ),
            "collection": _text(
                _WRONG,
                "no version stores a collection {name!r}",
                "어떤 버전에도 컬렉션 {name!r} 항목이 없습니다",
            ),
            "counts": _text(
                _WRONG,
                "{name} has {found} documents instead of {expected}",
                "{name} 문서가 {expected}개가 아니라 {found}개입니다",
            ),
            "content": _text(
                _WRONG, "the content {sha} has other bytes", "내용 {sha}의 바이트가 다릅니다"
            ),
            "unreadable_content": _text(
                _WRONG, "a content cannot be read", "읽을 수 없는 내용이 있습니다"
            ),
            "release": _text(
                _WRONG, "the release {digest} is not whole", "릴리스 {digest}의 일부가 없습니다"
            ),
            "result": _text(
                _WRONG, "the result {id} lacks its bytes", "결과 {id}의 내용이 온전하지 않습니다"
            ),
            "release_files": _text(
                _WRONG, "the release {digest} has other files", "릴리스 {digest}의 파일이 다릅니다"
            ),
            "release_contents": _text(
                _WRONG,
                "the release {digest} has other contents",
                "릴리스 {digest}의 내용이 다릅니다",
            ),
        },
        "commands",
    ),
    "backup_newer": Message(
        422,
        {
            "format": Sentence(
                "A newer Benchmark Manager took this backup; restore it with that version.",
                "더 새로운 Benchmark Manager가 만든 백업입니다. 그 버전으로 복원하세요.",
            ),
            "schema": Sentence(
                "Benchmark Manager {service} took this backup (schema {schema}; {own_version} "
                "knows "
                "schema {own_schema}); restore it with that version or a later one.",
                "Benchmark Manager {service}에서 만든 백업입니다(스키마 {schema}, {own_version}의 "
                "스키마는 "
                "{own_schema}). 그 버전이나 더 새로운 버전으로 복원하세요.",
            ),
        },
        "commands",
    ),
    "backup_too_slow": one_sentence(
        503,
        en="MongoDB no longer keeps the moment that the backup reads; try again, write to a faster "
        "disk, or raise MongoDB's parameter minSnapshotHistoryWindowInSeconds.",
        ko="백업이 읽는 시점을 MongoDB가 더 이상 보관하지 않습니다. 다시 시도하거나, 더 빠른 "
        "디스크에 쓰거나, MongoDB의 "
        "minSnapshotHistoryWindowInSeconds 값을 늘리세요.",
        readers="commands",
    ),
    "database_in_use": one_sentence(
        409,
        en="A service runs on the database; stop it, or name an empty database that none uses in "
        "DB_NAME or MONGO_URL.",
        ko="이 데이터베이스를 쓰는 서비스가 있습니다. 서비스를 멈추거나, DB_NAME 또는 MONGO_URL에 "
        "아무도 쓰지 않는 빈 "
        "데이터베이스를 지정하세요.",
        readers="commands",
    ),
    "restore_of_another": one_sentence(
        409,
        en="The restore of another backup into this database has not ended; call it again with "
        "that "
        "file, or name an empty database in DB_NAME or MONGO_URL.",
        ko="이 데이터베이스에 다른 백업을 복원하는 일이 끝나지 않았습니다. 그 파일로 다시 "
        "실행하거나, DB_NAME 또는 "
        "MONGO_URL에 빈 데이터베이스를 지정하세요.",
        readers="commands",
    ),
    "database_not_empty": one_sentence(
        409,
        en="The database holds documents already ({names}), and a restore never overwrites any; "
        "name "
        "an empty database in DB_NAME or MONGO_URL, or an empty DATA_DIR for the embedded one.",
        ko="데이터베이스에 이미 문서가 있으며({names}), 복원은 아무것도 덮어쓰지 않습니다. "
        "DB_NAME 또는 MONGO_URL에 빈 "
        "데이터베이스를, 내장 데이터베이스라면 DATA_DIR에 빈 폴더를 지정하세요.",
        readers="commands",
    ),
}
