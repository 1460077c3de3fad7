"""Edits of cells: in batches of bounded time, and of texts of bounded size."""

import pytest

from benchmark_manager.domain.edits import Assignment
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import PlannedCell, Setting, SweptBase, Target
from benchmark_manager.services.sweeps.editing import CellEditor
from benchmark_manager.services.sweeps.text_work import (
    ChangedBase,
    edited_texts,
    plan_of,
    rebase_effect,
)
from benchmark_manager.workers.pool import WorkerPool
from support.swept import ENGINE, sizes

TEXT = ENGINE.decode()
PATH = "engine.max_num_seqs"
BASE = SweptBase(
    alias="engine",
    path="config/engine.yaml",
    sha="1",
    original_sha="1",
    commit_sha="2",
    file_type="config",
)


def cells(*values: int) -> list[PlannedCell]:
    target = Target(alias="engine", path=PATH)
    return [
        PlannedCell(assignments={"x": number}, settings=(Setting(target=target, value=value),))
        for number, value in enumerate(values)
    ]


def test_a_task_answers_with_what_it_has_when_its_time_is_over() -> None:
    wanted = [[Assignment(PATH, value)] for value in (1, 2, 3)]
    assert edited_texts(TEXT, "yaml", wanted, 0) == [TEXT.replace("128", "1")]
    assert len(edited_texts(TEXT, "yaml", wanted, 60)) == 3


def test_a_judgement_goes_on_where_its_time_was_over() -> None:
    definition, _ = plan_of(sizes(1, 2, 3))
    bases = [ChangedBase("engine", "yaml", TEXT, f"{TEXT}more: 1\n")]
    effects = [rebase_effect(bases, definition, number, 0) for number in range(3)]
    assert [effect.next_cell for effect in effects] == [1, 2, None]
    assert all(effect.changes_bytes for effect in effects)


async def test_what_many_cells_set_alike_is_edited_once(workers: WorkerPool) -> None:
    editor = CellEditor(workers, max_file_size=1000)
    values = [1, 2] * 100
    edited, failed = await editor.edited(cells(*values), [BASE], {"1": TEXT})
    assert failed == []
    assert len({id(cell.texts[0]) for cell in edited}) == 2
    texts = [cell.texts[0].data.decode() for cell in edited]
    assert texts == [TEXT.replace("128", str(value)) for value in values]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_file_size": len(TEXT)}, "cell_too_large"),
        ({"max_file_size": 1000, "most_bytes": 2 * len(TEXT)}, "sweep_too_large"),
    ],
    ids=["one text", "all texts"],
)
async def test_texts_of_cells_have_a_limit(
    workers: WorkerPool, limits: dict[str, int], code: str
) -> None:
    editor = CellEditor(workers, **limits)
    with pytest.raises(InvalidInputError) as refused:
        await editor.edited(cells(128, 256_000), [BASE], {"1": TEXT})
    assert refused.value.code == code
