"""Words and icons for the states and kinds of things on pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

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
    "release_deleted": N_(
        "The release was deleted, because no project has it and it is not pinned."
    ),
}

#: What a service's errors say, in general: for languages in which the service itself does not
#: speak.
_DETAILS: Final[Mapping[str, str]] = {
    "route_not_found": N_("There is no page at this address."),
    "project_not_found": N_("There is no such project; it may have been deleted."),
    "file_not_found": N_("There is no such file; it may be gone upstream."),
    "sync_not_found": N_("There is no such sync; old ones are deleted in time."),
    "modified_file_not_found": N_("There is no such modified file; it may have been deleted."),
    "method_not_allowed": N_("This address does not take this kind of request."),
    "project_name_taken": N_(
        "There is a project with this name already, or with one that differs only in case or in how its letters are "
        "written; choose another name."
    ),
    "name_taken": N_(
        "The project has a modified file with this path already; choose another name."
    ),
    "not_synced": N_("The repository has not been read yet; sync the project first."),
    "stale": N_("Somebody else changed this in the meantime."),
    "body_too_large": N_("What was sent is too large."),
    "request_timeout": N_("What was sent came too slowly; send it again."),
    "service_busy": N_("The service is busy; try again in a moment."),
    "origin_not_allowed": N_(
        "Another page than the service's own asked for this. If it is its own, PUBLIC_URL has to be the address above."
    ),
    "invalid_request": N_("A value in this request is wrong."),
    "invalid_cursor": N_(
        "This page of the list is not there any more; start again at its beginning."
    ),
    "invalid_github_url": N_("Give the repository as https://github.com/OWNER/REPO or OWNER/REPO."),
    "github_url_not_allowed": N_(
        "This service may not ask this address; GITHUB_API_URLS lists those it may."
    ),
    "invalid_pattern": N_(
        "One of the patterns is wrong: one a line, as in .gitignore, at most 50 of at most 256 characters, without ! "
        "and # at the start, .. and open brackets."
    ),
    "invalid_folder": N_("A folder is a path inside the repository, without .. and backslashes."),
    "invalid_branch": N_("Git accepts no branch of this name."),
    "invalid_token": N_("A token has 1 to 255 printable ASCII characters without spaces."),
    "invalid_name": N_("Give a file name, not a path, with the ending of the original's format."),
    "invalid_content": N_("The content does not parse; the places are listed."),
    "too_complex": N_(
        "This text takes too much time or memory to process; make it smaller or simpler: fewer values, shorter lines, "
        "less nesting, or several files."
    ),
    "content_missing": N_("Choose the file with the content."),
    "content_not_utf8": N_("The file is not UTF-8; save it in this encoding and send it again."),
    "too_large": N_("The content is larger than this service takes."),
    "repository_not_found": N_("GitHub shows no such repository to this token."),
    "commit_not_found": N_("GitHub does not have this commit any more."),
    "branch_not_found": N_("The repository has no such branch."),
    "tag_not_found": N_("The repository has no such tag."),
    "invalid_ref": N_(
        "Git accepts no tag of this name, or a commit's id is not whole: it has 40 digits."
    ),
    "contradictory_ref": N_("The address, the branch and the ref say different things."),
    "ambiguous_address": N_(
        "Only GitHub knows where the branch's name ends in this address, and it did not answer; give the repository's "
        "address, branch and folders by themselves."
    ),
    "repository_empty": N_("The repository has no commit yet."),
    "github_unauthorized": N_("GitHub does not accept the token; enter a valid one."),
    "github_forbidden": N_("GitHub denies access to the repository."),
    "token_unreadable": N_(
        "The stored token was encrypted with another key, or for another repository; enter it again."
    ),
    "tree_too_large": N_("GitHub cannot list the folders completely."),
    "github_unavailable": N_("GitHub failed or did not answer in time."),
    "github_rate_limited": N_("GitHub's rate limit is used up for now."),
    "release_not_found": N_("There is no such release; it may have been deleted with its project."),
    "making_not_found": N_("The release was not made so often."),
    "digest_too_short": N_("Give at least 12 digits of the digest."),
    "digest_ambiguous": N_("Several releases have digests which begin so; give more digits."),
    "release_file_ambiguous": N_(
        "The release has several files whose paths differ in Unicode form alone."
    ),
    "nothing_to_release": N_("There are no such files; sync the project first, or include others."),
    "path_clash": N_("A file and a folder have the same path, so no folder can hold them all."),
    "archive_path_unsafe": N_("A file's path is unsafe in an archive; fetch its files one by one."),
    "configmap_too_large": N_("The files are larger than a ConfigMap may be."),
    "configmap_key_invalid": N_("A file's path cannot be a key of a ConfigMap."),
    "configmap_key_clash": N_("Two files would have the same key in a ConfigMap."),
    "internal_error": N_("The service made a mistake; its log says more."),
    "database_unavailable": N_("The database does not answer; try again in a few seconds."),
    "service_stopping": N_("The service stops now; ask again in a moment."),
    "disk_full": N_("The disk is nearly full; nothing was changed."),
    "change_too_large": N_(
        "This is more than the database takes in one change; nothing was changed."
    ),
    "database_overloaded": N_(
        "The database ran out of time or memory for this; nothing was changed."
    ),
    "database_denied": N_("The database does not allow this; its user lacks rights."),
    "database_failed": N_("The database failed; the service's log says how."),
    "changes_pending": N_("A large sync of this project is being applied; ask again in a moment."),
    "revision_not_found": N_("There is no such revision."),
    "reset_not_found": N_("There is nothing left of this reset to bring back."),
    "upstream_removed": N_("The original is gone upstream, so there is nothing to merge with."),
    "merge_conflict": N_("Places are left which a person must decide."),
    "merge_unresolved": N_("Some places have no decision yet; nothing was changed."),
    "bad_resolution": N_("A decision cannot be taken as it is; nothing was changed."),
    "upstream_moved": N_(
        "The original has changed again since; look at what a rebase would do now."
    ),
    "other_project": N_("This original belongs to another project."),
    "other_format": N_("This original has another format, YAML or JSON, than the modified file."),
    "original_removed": N_("This original is gone upstream itself."),
    "merge_impossible": N_(
        "These decisions cannot be written into upstream's text with certainty; edit the result by hand."
    ),
    "folder_not_found": N_("The branch does not have one of the folders; it holds no files."),
    "folder_is_symlink": N_(
        "One of the folders is a symbolic link, or lies behind one; it holds no files."
    ),
    "folder_is_submodule": N_(
        "One of the folders is a submodule, or lies in one; it holds no files."
    ),
}


#: How forms call the fields which a service's sentences begin with by their names in the API.
_FIELDS: Final[Mapping[str, str]] = {
    "modified_name": "The name",
    "config_folder": "The folder",
    "job_folder": "The folder",
    "branch": "This",
    "ref.name": "This",
    "github_token": "The token",
    "q": "The query",
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


def field_words(reader: Reader, field: str, code: str, detail: str) -> str:
    """What to write beside a field of a form."""
    if code == "invalid_content":
        # The service's own sentence tells how to insist through the API.
        return reader.words(_DETAILS[code])
    if code == "invalid_pattern":
        said = detail.removeprefix(f"{field}: ")
        detail = said[:1].upper() + said[1:]
    if field in _FIELDS and detail.startswith(f"{field} "):
        detail = _FIELDS[field] + detail.removeprefix(field)
    return detail_words(reader, code, detail)


def detail_words(reader: Reader, code: str, detail: str) -> str:
    """An error's sentence: the service's own in English, a general one in other languages."""
    general = _DETAILS.get(code)
    if general is None:
        return reader.words(detail)
    translated = reader.words(general)
    return detail if translated == general else translated
