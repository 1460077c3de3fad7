"""What pages call the states and kinds of things: a word, and the icon beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from benchmark_manager import messages
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.original import FileType, SkipReason
from benchmark_manager.models.problem import Validity
from benchmark_manager.models.project import RefKind, Standing, SyncStatus
from benchmark_manager.models.release import ReleaseContents
from benchmark_manager.models.revision import RevisionKind
from benchmark_manager.models.search import SearchIn, SearchScope
from benchmark_manager.models.sync import ChangeKind, SyncOutcome, SyncPhase, SyncTrigger
from benchmark_manager.models.variant import Drift
from benchmark_manager.services.variants.rebase_all import RebaseOutcome
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader

Tone = Literal["good", "busy", "warn", "bad", "quiet"]


@dataclass(frozen=True, slots=True)
class Word:
    """`text` is to be translated, `icon` names a symbol of `icons.html`, `tone` a colour, never the only sign."""

    text: str
    icon: str
    tone: Tone = "quiet"


STATUS: Final[Mapping[SyncStatus, Word]] = {
    "never": Word(N_("Not synced yet"), "clock"),
    "running": Word(N_("Syncing"), "sync", "busy"),
    "ok": Word(N_("In sync"), "check", "good"),
    "failing": Word(N_("Failing"), "cross", "bad"),
    "unavailable": Word(N_("Unavailable"), "cloud", "warn"),
}
PAUSED: Final = Word(N_("Paused"), "pause")
STANDING: Final[Mapping[Standing, Word]] = {
    "failing": STATUS["failing"],
    "unavailable": STATUS["unavailable"],
    "ok": STATUS["ok"],
    "never": STATUS["never"],
    "paused": PAUSED,
}
PHASE: Final[Mapping[SyncPhase, str]] = {
    "checking": N_("Checking the branch"),
    "waiting": N_("Waiting for its turn"),
    "listing": N_("Listing the folders"),
    "fetching": N_("Fetching contents"),
    "applying": N_("Applying the changes"),
}
OUTCOME: Final[Mapping[SyncOutcome, Word]] = {
    "success": Word(N_("Changed"), "check", "good"),
    "unchanged": Word(N_("Nothing new"), "dot"),
    "failed": Word(N_("Failed"), "cross", "bad"),
}
TRIGGER: Final[Mapping[SyncTrigger, str]] = {
    "manual": N_("by hand"),
    "poll": N_("by polling"),
    "webhook": N_("by webhook"),
}
CHANGE: Final[Mapping[ChangeKind, Word]] = {
    "added": Word(N_("added"), "plus", "good"),
    "updated": Word(N_("updated"), "pencil", "busy"),
    "removed": Word(N_("removed"), "minus", "bad"),
    "renamed": Word(N_("renamed"), "arrow"),
}
DRIFT: Final[Mapping[Drift, Word]] = {
    "current": Word(N_("Current"), "check", "good"),
    "behind": Word(N_("Upstream moved"), "down", "warn"),
    "conflict": Word(N_("Conflict"), "cross", "bad"),
    "upstream_removed": Word(N_("Gone upstream"), "minus", "warn"),
}
REVISION: Final[Mapping[RevisionKind, Word]] = {
    "created": Word(N_("made"), "plus", "good"),
    "edited": Word(N_("edited"), "pencil", "busy"),
    "renamed": Word(N_("renamed"), "arrow"),
    "rebased": Word(N_("rebased"), "down", "busy"),
    "reattached": Word(N_("attached to another original"), "branch", "busy"),
    "restored": Word(N_("restored"), "back", "busy"),
    "deleted": Word(N_("deleted"), "trash", "bad"),
}
#: What a rebase of many would do with each, and what it did.
REBASE_PREVIEW: Final[Mapping[RebaseOutcome, Word]] = {
    "rebased": Word(N_("merges cleanly"), "check", "good"),
    "conflict": Word(N_("needs a decision"), "cross", "bad"),
    "unchanged": Word(N_("up to date"), "dot"),
    "failed": Word(N_("cannot be rebased"), "cross", "bad"),
}
REBASE_RESULT: Final[Mapping[RebaseOutcome, Word]] = {
    **REBASE_PREVIEW,
    "rebased": Word(N_("rebased"), "check", "good"),
    "failed": Word(N_("not rebased"), "cross", "bad"),
}
KEY_CHANGE: Final[Mapping[str, Word]] = {
    "changed": Word(N_("changed"), "pencil", "busy"),
    "added": Word(N_("added"), "plus", "good"),
    "removed": Word(N_("removed"), "minus", "bad"),
}
VALIDITY: Final[Mapping[Validity, Word]] = {
    "valid": Word(N_("Valid"), "check", "good"),
    "template": Word(N_("Template"), "braces"),
    "invalid": Word(N_("Does not parse"), "cross", "bad"),
}
FILE_TYPE: Final[Mapping[FileType, str]] = {"config": N_("config"), "job": N_("job")}
#: Which files their list shows.
SHOWN: Final[Mapping[str, str]] = {"variants": N_("with variants"), "problems": N_("with problems")}
#: Where a search looks inside files, and in which of them.
SEARCH_IN: Final[Mapping[SearchIn, str]] = {
    "text": N_("Text"),
    "keys": N_("Keys"),
    "values": N_("Values"),
}
SCOPE: Final[Mapping[SearchScope, str]] = {"originals": N_("originals"), "variants": N_("variants")}
CREDENTIAL: Final[Mapping[str, str]] = {
    "token": N_("token"),
    "app": N_("GitHub App"),
    "anonymous": N_("without a token"),
}
PINNED: Final = Word(N_("Pinned"), "pin", "good")
SOURCE: Final[Mapping[Literal["original", "modified"], Word]] = {
    "original": Word(N_("Original"), "file"),
    "modified": Word(N_("Modified"), "variant", "busy"),
}
INCLUDE: Final[Mapping[ReleaseContents, str]] = {
    "all": N_(
        "Originals and modified files; a modified file takes the place of the original with its path"
    ),
    "originals": N_("Originals only"),
    "modified": N_("Modified files only"),
}
SKIP: Final[Mapping[SkipReason, str]] = {
    "too_large": N_("too large"),
    "binary": N_("binary"),
    "not_utf8": N_("not UTF-8"),
    "name_not_utf8": N_("its name is not UTF-8"),
    "not_yaml": N_("JSON in the job folder: jobs are read as YAML only"),
    "symlink": N_("a symbolic link"),
    "submodule": N_("a submodule"),
    "lfs_pointer": N_("a Git LFS pointer"),
    "other": N_("a reason that only a newer version knows"),
}

#: What was just done, by the names that the note's cookie may hold.
NOTES: Final[Mapping[str, str]] = {
    "saved": N_("Saved."),
    "unchanged": N_("Nothing was changed, so nothing was saved."),
    "created": N_("The variant was made."),
    "project_created": N_("The repository was added; its first sync begins in a moment."),
    "deleted": N_("The modified file was deleted."),
    "undeleted": N_("The modified file is back."),
    "restored": N_("The revision is restored."),
    "rebased": N_("Rebased: the modified file is based on upstream's present text now."),
    "reattached": N_(
        "Attached: the other original's present text is the base of the modified file now."
    ),
    "reset": N_("All modified files of the project were deleted."),
    "nothing_reset": N_("There was nothing to delete."),
    "reset_undone": N_("All deleted modified files are back."),
    "reset_undone_partly": N_("Some files could not come back; they are here still."),
    "project_deleted": N_("The project was deleted."),
    "sync_started": N_("The sync has started."),
    "all_queued": N_("Syncs of all projects are queued."),
    "paused": N_("The project is paused."),
    "resumed": N_("The project is resumed; it syncs in a moment."),
    "released": N_("The release was made."),
    "released_again": N_("These files are a release already; this making was added to it."),
    "release_deleted": N_(
        "The release was deleted: no project has it any more, and nobody pins it."
    ),
}

#: What of a repository a project may read, in the order of a form.
REF_KINDS: Final[tuple[tuple[RefKind, str], ...]] = (
    ("branch", N_("A branch, followed as it moves")),
    ("tag", N_("A tag, followed as it moves")),
    ("commit", N_("One commit, which never changes")),
)
REF_WORDS: Final[Mapping[RefKind, str]] = {
    "branch": N_("branch"),
    "tag": N_("tag"),
    "commit": N_("commit"),
}


class Stored(Protocol):
    """What is stored of a failed sync, or of a warning: a code and an English sentence."""

    @property
    def code(self) -> str: ...
    @property
    def detail(self) -> str: ...


def error_words(reader: Reader, error: BenchmarkManagerError | Stored) -> str:
    """Return the sentence of an error, or of what is stored of one, in the reader's language."""
    if isinstance(error, BenchmarkManagerError):
        return messages.words(error, reader.language)
    return messages.stored_words(error.code, error.detail, reader.language)
