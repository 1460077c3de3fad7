"""Words and icons for the states and kinds of things on pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from benchmark_manager import messages
from benchmark_manager.domain.documents import VariedBy
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.models.access.account import AccountKind
from benchmark_manager.models.access.principal import Role
from benchmark_manager.models.original import FileType, SkipReason
from benchmark_manager.models.problem import Validity
from benchmark_manager.models.project import RefKind, Standing, SyncStatus
from benchmark_manager.models.release import ReleaseContents
from benchmark_manager.models.result import Direction, ReceiptStatus, ToolName
from benchmark_manager.models.result_table import Comparison, RowGroup
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
    """A word to translate, its symbol in `icons.html`, and a colour, never the only sign."""

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
    "waiting": N_("Waiting in the queue"),
    "listing": N_("Listing the folders"),
    "fetching": N_("Fetching contents"),
    "applying": N_("Applying the changes"),
}
OUTCOME: Final[Mapping[SyncOutcome, Word]] = {
    "success": Word(N_("Changed"), "check", "good"),
    "unchanged": Word(N_("No changes"), "dot"),
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
    "behind": Word(N_("Upstream changed"), "down", "warn"),
    "conflict": Word(N_("Conflict"), "cross", "bad"),
    "upstream_removed": Word(N_("Removed upstream"), "minus", "warn"),
}
#: The same for sweeps, whose files may be variants too.
SWEEP_DRIFT: Final[Mapping[Drift, Word]] = {
    "current": DRIFT["current"],
    "behind": Word(N_("Files changed"), "down", "warn"),
    "conflict": DRIFT["conflict"],
    "upstream_removed": Word(N_("A file was removed"), "minus", "warn"),
}
RETIRED: Final = Word(N_("Retired"), "pause")
REVISION: Final[Mapping[RevisionKind, Word]] = {
    "created": Word(N_("made"), "plus", "good"),
    "edited": Word(N_("edited"), "pencil", "busy"),
    "renamed": Word(N_("renamed"), "arrow"),
    "rebased": Word(N_("rebased"), "down", "busy"),
    "reattached": Word(N_("attached to another original"), "branch", "busy"),
    "restored": Word(N_("restored"), "back", "busy"),
    "deleted": Word(N_("deleted"), "trash", "bad"),
}
#: What rebasing many variants would do with each, and what it did.
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
#: Who changed a value since the base.
VARIED_BY: Final[Mapping[VariedBy, Word]] = {
    "mine": Word(N_("changed here"), "pencil", "warn"),
    "upstream": Word(N_("changed upstream since"), "down", "busy"),
    "both": Word(N_("both"), "branch", "bad"),
}
#: Both changed it, and the variant has what the original has.
AGREED: Final = Word(N_("both, to the same value"), "check", "good")
VALIDITY: Final[Mapping[Validity, Word]] = {
    "valid": Word(N_("Valid"), "check", "good"),
    "template": Word(N_("Template"), "braces"),
    "invalid": Word(N_("Does not parse"), "cross", "bad"),
}
FILE_TYPE: Final[Mapping[FileType, str]] = {"config": N_("config"), "job": N_("job")}
#: Filters of the list of files.
SHOWN: Final[Mapping[str, str]] = {"variants": N_("with variants"), "problems": N_("with problems")}
#: What a search in files compares, and which files it reads.
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
    "modified": Word(N_("Variant"), "variant", "busy"),
}
INCLUDE: Final[Mapping[ReleaseContents, str]] = {
    "all": N_("Originals and variants; a variant replaces the original that has the same path"),
    "originals": N_("Originals only"),
    "modified": N_("Variants only"),
}
SKIP: Final[Mapping[SkipReason, str]] = {
    "too_large": N_("too large"),
    "binary": N_("binary"),
    "not_utf8": N_("not UTF-8"),
    "name_not_utf8": N_("its name is not UTF-8"),
    "not_yaml": N_("JSON in the Job folder: Jobs are read as YAML only"),
    "symlink": N_("a symbolic link"),
    "submodule": N_("a submodule"),
    "lfs_pointer": N_("a Git LFS pointer"),
    "other": N_("a reason recorded by a newer version"),
}

#: Tools whose results are read.
TOOL: Final[Mapping[ToolName, str]] = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "lm-eval": "lm-evaluation-harness",
    "inference-perf": "inference-perf",
    "guidellm": "GuideLLM",
    "llm-d": "llm-d Benchmark Report",
    "plain": N_("plain metrics"),
    "unknown": N_("unknown format"),
}
RECEIPT: Final[Mapping[ReceiptStatus, Word]] = {
    "verified": Word(N_("Verified"), "check", "good"),
    "not_verified": Word(N_("Not verified"), "dot"),
    "differs": Word(N_("Differs"), "cross", "bad"),
}
#: What a receipt says, in a sentence.
RECEIPT_SAYS: Final[Mapping[ReceiptStatus, str]] = {
    "verified": N_("The files on the machine had the bytes of the release."),
    "not_verified": N_("No receipt says which files were on the machine."),
    "differs": N_("Files on the machine were not those of the release."),
}
#: A row's values beside those of the baseline.
COMPARISON: Final[Mapping[Comparison, Word]] = {
    "better": Word(N_("better"), "check", "good"),
    "worse": Word(N_("worse"), "warn", "bad"),
    "no_difference_shown": Word(N_("no difference shown"), "minus"),
    "too_few_repeats": Word(N_("too few repeats"), "dot"),
}
DIRECTION: Final[Mapping[Direction, str]] = {
    "lower": N_("lower is better"),
    "higher": N_("higher is better"),
}
GROUP: Final[Mapping[RowGroup, str]] = {
    "release": N_("One row for each release"),
    "environment": N_("One row for each release and environment"),
}
BASELINE: Final = Word(N_("Baseline"), "pin", "busy")
#: No other row is better in both metrics of the trade-off.
PARETO: Final = Word(N_("Pareto front"), "star", "good")

#: Roles, and what each allows.
ROLE: Final[Mapping[Role, str]] = {
    "reader": N_("reader"),
    "editor": N_("editor"),
    "maintainer": N_("maintainer"),
    "admin": N_("admin"),
}
NO_ROLE: Final = N_("none")
ROLE_ALLOWS: Final[Mapping[Role, str]] = {
    "reader": N_("Reads files, variants, releases and results."),
    "editor": N_("Also syncs, edits variants, and makes releases."),
    "maintainer": N_("Also changes settings and decides who has access."),
    "admin": N_("Also manages accounts, tokens and federation."),
}
ACCOUNT_KIND: Final[Mapping[AccountKind, str]] = {
    "local": N_("by password"),
    "oidc": N_("by OpenID Connect"),
    "github": N_("by GitHub"),
    "proxy": N_("by the reverse proxy"),
}
DISABLED: Final = Word(N_("Disabled"), "pause", "warn")
ENABLED: Final = Word(N_("Active"), "check", "good")
GRANTEE: Final[Mapping[Literal["account", "group"], Word]] = {
    "account": Word(N_("Person"), "person"),
    "group": Word(N_("Group"), "people"),
}

#: Sentences about what was just done, by the value of the note's cookie.
NOTES: Final[Mapping[str, str]] = {
    "saved": N_("Saved."),
    "unchanged": N_("Nothing was changed, so nothing was saved."),
    "created": N_("The variant was made."),
    "project_created": N_("The repository was added. Its first sync starts in a moment."),
    "deleted": N_("The variant was deleted."),
    "undeleted": N_("The variant was restored."),
    "restored": N_("The revision was restored."),
    "rebased": N_("The variant was rebased. Its base is now the current text of the original."),
    "reattached": N_(
        "The variant was attached. Its base is now the current text of the other original."
    ),
    "reset": N_("All variants of the project were deleted."),
    "nothing_reset": N_("There was nothing to delete."),
    "reset_undone": N_("All deleted variants were restored."),
    "reset_undone_partly": N_("Some variants could not be restored. They are still in the trash."),
    "project_deleted": N_("The project was deleted."),
    "sync_started": N_("The sync has started."),
    "all_queued": N_("Syncs of all projects were queued."),
    "paused": N_("The project was paused."),
    "resumed": N_("The project was resumed. It will sync in a moment."),
    "released": N_("The release was made."),
    "released_again": N_("A release with these files exists already. It now also lists this one."),
    "sweep_created": N_("The sweep was made."),
    "sweep_rebased": N_("The sweep was rebased. Its cells are a new generation."),
    "sweep_current": N_("Every file is as it was, so nothing was changed."),
    "sweep_deleted": N_("The sweep was deleted."),
    "result_uploaded": N_("The result was uploaded."),
    "result_known": N_("This file was uploaded for this release before: here is its result."),
    "result_deleted": N_("The result was deleted."),
    "result_undeleted": N_("The result was restored."),
    "signed_out": N_("You are signed out."),
    "set_up": N_("The first administrator was made, and you are signed in."),
    "password_changed": N_("The password was changed."),
    "password_set": N_("The account has a new password; its sessions and tokens ended."),
    "session_ended": N_("The session was ended."),
    "token_revoked": N_("The token was revoked."),
    "account_created": N_("The account was made."),
    "account_deleted": N_("The account was deleted."),
    "rule_created": N_("The rule was made."),
    "rule_deleted": N_("The rule was deleted."),
    "grant_saved": N_("The role was given. It applies within five seconds."),
    "grant_removed": N_("The role was taken away. It ends within five seconds."),
    "release_deleted": N_(
        "The release was deleted, because no project has it and it is not pinned."
    ),
}

#: The kinds of ref that a project may read, in the order of the form.
REF_KINDS: Final[tuple[tuple[RefKind, str], ...]] = (
    ("branch", N_("A branch: always its latest commit")),
    ("tag", N_("A tag: always the commit it points to")),
    ("commit", N_("One fixed commit")),
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
