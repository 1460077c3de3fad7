"""Classification of a repository's entries, by path, name, mode and content."""

import re
from typing import Final, Literal, TypeAlias

from benchmark_manager.domain.sync.entry_names import is_utf8
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK, YamlSyntaxError, prepare
from benchmark_manager.domain.yaml.manifest_outline import WORKLOAD_KINDS, outlines
from benchmark_manager.models.original import FileFormat, FileType, SkipReason

Candidate: TypeAlias = FileType | Literal["by_content"]

_DIRECTORY: Final = "040000"
_SYMLINK: Final = "120000"
_SUBMODULE: Final = "160000"

_MARGIN_KIND: Final = re.compile(
    r"""(?:\A|(?<=[\r\n]))(?P<key_quote>["']?)kind(?P=key_quote)[ \t]*:[ \t]+"""
    rf"""(?P<quote>["']?)(?:{"|".join(sorted(WORKLOAD_KINDS))})(?P=quote)"""
    r"""[ \t]*(?:(?<=[ \t])\#[^\r\n]*)?(?=[\r\n]|\Z)""",
)

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: `version` first, the other keys sorted,
# under 1,024 bytes in all. The git-lfs client also reads its older version URLs, and CRLF.
_LFS_MAX_BYTES: Final = 1024
_LFS_POINTER: Final = re.compile(
    rb"version (?:https://git-lfs\.github\.com/spec/v1|https://hawser\.github\.com/spec/v1"
    rb"|http://git-media\.io/v/2)\r?\n"
    rb"(?:ext-[0-9]-[^ \r\n]+ [^\r\n]+\r?\n)*"
    rb"oid sha256:[0-9a-f]{64}\r?\n"
    rb"size [0-9]+\s*",
)


def format_of(path: str) -> FileFormat | None:
    """Return the format by the name's ending, in any case; None for other files."""
    lowered = path.lower()
    if lowered.endswith((".yaml", ".yml")):
        return "yaml"
    return "json" if lowered.endswith(".json") else None


def candidate(path: str, mode: str, config_folder: str, job_folder: str) -> Candidate | None:
    """Return what a tree entry is to the project, or None if it is of no interest.

    Symbolic links and submodules with a fitting name are candidates too, so that they can be
    listed as skipped: ask `skip_reason_of_entry` next.

    Args:
        path: from the repository's root, without a leading slash.
        mode: git's file mode, six octal digits.
        config_folder: normalised: no slash at either end, "" is the root.
        job_folder: in the same form.

    Returns:
        `by_content` where both folders are the same one: `type_by_content` decides.
    """
    file_format = format_of(path)
    if file_format is None or mode.zfill(len(_DIRECTORY)) == _DIRECTORY:
        return None
    in_config, in_job = _is_inside(path, config_folder), _is_inside(path, job_folder)
    if in_config and in_job and config_folder == job_folder:
        return "config" if file_format == "json" else "by_content"
    # Of two folders around one path, the one with the longer name lies inside the other.
    if in_config and not (in_job and len(job_folder) > len(config_folder)):
        return "config"
    return "job" if in_job and file_format == "yaml" else None


def _is_inside(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def type_by_content(text: str) -> FileType:
    """Return `job` for YAML with a workload's `kind`, else `config`.

    The `kind` is at the top of one of its documents or of a List's items. Where the text does
    not parse, a line `kind: …` at the margin counts. Only YAML files can be jobs.
    """
    body = text.removeprefix(BYTE_ORDER_MARK)
    if "kind" not in body:
        return "config"
    try:
        # The whole stream is read: with an error further down, the text does not parse.
        kinds = {kind for outline in outlines(prepare(body).parsed) for kind in outline.kinds}
    except YamlSyntaxError:
        return "job" if _MARGIN_KIND.search(body) else "config"
    return "job" if WORKLOAD_KINDS.intersection(kinds) else "config"


def skip_reason_of_entry(
    mode: str, size: int | None, max_file_size: int, *, path: str = ""
) -> SkipReason | None:
    """Return why an entry is not copied, as far as its tree shows.

    Args:
        mode: git's file mode, six octal digits.
        size: in bytes, None where git gives none.
        max_file_size: in bytes; this size itself is still copied.
        path: as `entry_names` writes it; one that is not UTF-8 can be neither stored nor
            shown.
    """
    if not is_utf8(path):
        return "name_not_utf8"
    if mode == _SYMLINK:
        return "symlink"
    if mode == _SUBMODULE:
        return "submodule"
    return "too_large" if size is not None and size > max_file_size else None


def skip_reason_of_content(data: bytes) -> SkipReason | None:
    """Return why bytes are not copied: they hold NUL, are not UTF-8, or are a Git LFS pointer."""
    if b"\x00" in data:
        return "binary"
    if len(data) < _LFS_MAX_BYTES and _LFS_POINTER.fullmatch(data):
        return "lfs_pointer"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8"
    return None
