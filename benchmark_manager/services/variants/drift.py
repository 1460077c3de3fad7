"""Judge from the contents what happened to the originals of variants."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from benchmark_manager.errors import TooComplexError
from benchmark_manager.models.original import FileFormat, OriginalFile
from benchmark_manager.models.variant import Drift
from benchmark_manager.services.texts.text_work import merges_cleanly
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.workers.pool import WorkerPool

#: Merges judged at once: their contents are in memory.
_AT_ONCE: Final = 8
_REMEMBERED: Final = 20_000


class MergeQuestion(NamedTuple):
    """The question whether three contents, by their blob ids, merge without conflicts."""

    base_sha: str
    theirs_sha: str
    mine_sha: str
    format: FileFormat

    @property
    def obvious(self) -> Drift | None:
        """The answer where no merge is needed, else None.

        Upstream did not change the text, or only upstream did, or both sides changed it alike.
        """
        if self.base_sha == self.theirs_sha:
            return "current"
        return "behind" if self.mine_sha in self[:2] else None


Judgements = dict[MergeQuestion, Drift]


class DriftJudge:
    """Judges variants against the present texts of their originals; remembers its judgements."""

    def __init__(self, blobs: BlobStore, workers: WorkerPool) -> None:
        self._blobs = blobs
        self._workers = workers
        self._known: OrderedDict[MergeQuestion, Drift] = OrderedDict()

    async def drift(self, original: OriginalFile, base_sha: str, content_sha: str) -> Drift:
        """Return the drift of a variant with this base and this content, by their blob ids.

        The transaction that stores it must hold the original, so that no sync changes the original
        meanwhile.
        """
        if original.removed_at is not None:
            return "upstream_removed"
        question = _question(original, base_sha, content_sha)
        return (await self.judge([question]))[question]

    async def prepare(self, files: Iterable[tuple[OriginalFile, str, str]]) -> None:
        """Judge many at once, so that `drift`, called for each right after, need not merge.

        The arguments are those of `drift`.
        """
        await self.judge({_question(*file) for file in files if file[0].removed_at is None})

    async def judge(self, questions: Collection[MergeQuestion]) -> Judgements:
        """Return the answers to all questions; merge where that was not done before."""
        answers = {
            question: known
            for question in questions
            if (known := self._answer(question)) is not None
        }
        # Sorted, the questions of one original are neighbours, so that few contents are read twice.
        left = sorted(question for question in questions if question not in answers)
        for start in range(0, len(left), _AT_ONCE):
            some = left[start : start + _AT_ONCE]
            contents = await self._blobs.get_many(
                {sha for question in some for sha in question[:3]}
            )
            for question in some:
                answers[question] = await self._merged(question, contents)
        return answers

    async def _merged(self, question: MergeQuestion, contents: Mapping[str, bytes]) -> Drift:
        base, theirs, mine = (contents[sha].decode() for sha in question[:3])
        try:
            clean = await self._workers.run(merges_cleanly, base, theirs, mine, question.format)
        except TooComplexError:
            # Only a person can merge these texts.
            clean = False
        drift: Drift = "behind" if clean else "conflict"
        self._remember(question, drift)
        return drift

    def _answer(self, question: MergeQuestion) -> Drift | None:
        return question.obvious or self._known.get(question)

    def _remember(self, question: MergeQuestion, drift: Drift) -> None:
        self._known[question] = drift
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _question(original: OriginalFile, base_sha: str, content_sha: str) -> MergeQuestion:
    return MergeQuestion(base_sha, original.sha, content_sha, original.format)
