"""What the buttons of a sweep's form do with its draft."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from benchmark_manager.domain.sweeps.limits import LONGEST_ALIAS, MOST_AXES, MOST_FILES
from benchmark_manager.domain.sweeps.typed_values import UNSET, count_values, written_value
from benchmark_manager.domain.sweeps.yaml_form import definition_yaml
from benchmark_manager.errors import InvalidInputError, WorkersBusyError
from benchmark_manager.factory import Services
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.sweep import SweepDefinition, SweptBase, SweptFile
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.sweeps.drafts import (
    MOST_FIELDS,
    NEW_AXIS,
    SweepDraft,
    TypedAxis,
    TypedFile,
    TypedTarget,
    free_name,
    typed_target,
)
from benchmark_manager.web.sweeps.reading import DraftReader, refuse
from benchmark_manager.web.sweeps.target_names import last_name

_NOT_ALIAS: Final = re.compile(r"[^A-Za-z0-9_-]+")
_NUMBER: Final = re.compile(r"[0-9]{1,8}")
#: Characters of a picked value, which is entered for every point of an axis.
_MOST_ENTERED: Final = 100_000

NOT_ADDED: Final = N_("Add this file, or empty the field.")
NO_FILE: Final = N_("The project has no file with this path.")
FILE_TWICE: Final = N_("This file is in the list already.")
TOO_LONG: Final = N_("This definition is too long for the form; change it as YAML.")
TOO_MANY: Final = N_("A sweep has at most %(most)s of them.")


class DraftActions:
    """Carries out one button; what is refused stands in the draft's errors."""

    def __init__(
        self,
        services: Services,
        principal: Principal,
        project_id: str,
        reader: Reader,
        bases: Sequence[SweptBase] = (),
    ) -> None:
        """`bases` are the files of the sweep that is changed."""
        self._services = services
        self._principal = principal
        self._project_id = project_id
        self._reader = reader
        self._bases = bases

    async def carry_out(self, draft: SweepDraft, do: str) -> None:
        """Change a draft as a button says, `VERB` or `VERB:WHAT`; others change nothing."""
        verb, _, what = do.partition(":")
        simple: Mapping[str, Callable[[SweepDraft, str], None]] = {
            "add-target": _add_target,
            "remove-axis": _remove_axis,
            "remove-target": _remove_target,
            "remove-file": _remove_file,
            "show": _show,
            "part": _turn,
        }
        asking: Mapping[str, Callable[[SweepDraft, str], Awaitable[None]]] = {
            "pick": self.pick,
            "add-file": self._add_file,
            "enter": self._enter,
            "yaml": self._to_yaml,
            "form": self._to_form,
        }
        if verb in simple:
            simple[verb](draft, what)
        elif verb in asking:
            await asking[verb](draft, what)

    def leaves_file(self, draft: SweepDraft) -> bool:
        """Return whether a file is typed that was not added, with an error beside its field."""
        if draft.mode == "form" and draft.new_file:
            self._refuse(draft, "new_file", NOT_ADDED)
        return bool(draft.errors)

    def start(self, draft: SweepDraft, file: SweptFile, path: str) -> None:
        """Add a file under an alias of its own, and show it."""
        alias = free_name(alias_of(path), [each.alias for each in draft.files], "file")
        draft.files.append(TypedFile(alias, path, file.variant_id or ""))
        draft.shown, draft.part = alias, 1

    async def pick(self, draft: SweepDraft, target: str) -> None:
        """Make a value of a file a new axis, or a target of the axis that is chosen for it."""
        if target.removesuffix("?") in draft.targets:
            return
        value = await self._value_of(draft, target)
        number = _number(draft.picked, draft.axes)
        if number is not None:
            axis = draft.axes[number]
            count = count_values(axis.points) or count_values(_first_values(axis)) or 1
            count = min(count, max(1, _MOST_ENTERED // (len(value) + 1)))
            axis.targets.append(TypedTarget(target, ", ".join([value] * count) if value else ""))
            draft.focus = f"axis-{number}-values-{len(axis.targets) - 1}"
            if not axis.own:
                draft.focus = f"axis-{number}-values"
            return
        if len(draft.axes) >= MOST_AXES:
            self._refuse(draft, "axes", TOO_MANY, most=MOST_AXES)
            return
        names = [axis.name for axis in draft.axes]
        name = free_name(last_name(typed_target(target).path), names, "axis")
        draft.axes.append(TypedAxis(name, [TypedTarget(target, value)], value))
        draft.focus = f"axis-{len(draft.axes) - 1}-values"

    async def _value_of(self, draft: SweepDraft, target: str) -> str:
        """Return the value that a target has now, as a form shows it; "" if JSON has none such."""
        wanted = typed_target(target)
        file = next((each for each in draft.files if each.alias == wanted.alias), None)
        if file is None:
            return ""
        text = await self._services.sweeps.drafting.text_of(
            self._principal, self._project_id, file.swept, self._bases
        )
        if text is None:
            return ""
        try:
            found = await self._services.sweeps.drafting.value_at(text, wanted.path)
        except (InvalidInputError, WorkersBusyError):
            return ""
        return "" if found is None else written_value(found[0])

    async def _enter(self, draft: SweepDraft, what: str) -> None:
        """Add the file whose path is typed, as Enter does in that field."""
        if draft.new_file:
            await self._add_file(draft, what)

    async def _add_file(self, draft: SweepDraft, _: str) -> None:
        path = draft.new_file
        found = await self._services.sweeps.drafting.find(self._principal, self._project_id, path)
        if found is None:
            self._refuse(draft, "new_file", NO_FILE)
            draft.focus = "new_file"
        elif len(draft.files) >= MOST_FILES:
            self._refuse(draft, "new_file", TOO_MANY, most=MOST_FILES)
        elif any(file.path == path for file in draft.files):
            self._refuse(draft, "new_file", FILE_TWICE)
        else:
            self.start(draft, found, path)
            draft.new_file = ""
            draft.focus = f"file-{len(draft.files) - 1}-alias"

    async def _to_yaml(self, draft: SweepDraft, _: str) -> None:
        definition = await asyncio.to_thread(DraftReader(draft, self._reader).definition)
        if definition is not None:
            draft.yaml = draft.kept_yaml = await asyncio.to_thread(definition_yaml, definition)
            draft.mode = "yaml"

    async def _to_form(self, draft: SweepDraft, _: str) -> None:
        if draft.yaml == draft.kept_yaml:
            draft.mode = "form"
            return
        try:
            definition = await self.read_yaml(draft)
        except (InvalidInputError, WorkersBusyError) as error:
            refuse(draft, error, self._reader)
            return
        read = SweepDraft.of(definition, await self.paths_of(definition), draft.revision)
        if read.size > MOST_FIELDS:
            self._refuse(draft, "yaml", TOO_LONG)
            return
        for name in ("name", "description", "files", "axes", "combine", "exclude", "include"):
            setattr(draft, name, getattr(read, name))
        draft.repeats, draft.contents, draft.mode = read.repeats, read.contents, "form"

    async def read_yaml(self, draft: SweepDraft) -> SweepDefinition:
        """Return the definition that the YAML of a draft is.

        Raises:
            InvalidInputError, WorkersBusyError
        """
        drafting = self._services.sweeps.drafting
        return await drafting.definition_of(await drafting.value_of_yaml(draft.yaml))

    async def paths_of(self, definition: SweepDefinition) -> Mapping[str, str]:
        """Return the paths of the variants of a definition by their ids."""
        found = {}
        for file in definition.files:
            if file.variant_id is not None:
                variant = await self._services.sweeps.drafting.variant(
                    self._principal, self._project_id, file.variant_id
                )
                found[file.variant_id] = file.variant_id if variant is None else variant.path
        return found

    def _refuse(self, draft: SweepDraft, name: str, sentence: str, **facts: int) -> None:
        draft.errors[name] = self._reader.words(sentence) % facts


def _first_values(axis: TypedAxis) -> str:
    return axis.targets[0].values if axis.targets else ""


def alias_of(path: str) -> str:
    """Return an alias for a file, after its name."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    return _NOT_ALIAS.sub("-", stem).strip("-")[: LONGEST_ALIAS - 10]


def _number(text: str, among: Sequence[object]) -> int | None:
    """Return the number of one of a list's items; None for anything else."""
    number = int(text) if _NUMBER.fullmatch(text) else len(among)
    return number if number < len(among) else None


def _add_target(draft: SweepDraft, what: str) -> None:
    number = _number(what, draft.axes)
    if number is not None:
        axis = draft.axes[number]
        count = count_values(axis.points)
        axis.targets.append(TypedTarget("", ", ".join([UNSET] * count)))
        draft.focus = f"axis-{number}-set-{len(axis.targets) - 1}"


def _remove_axis(draft: SweepDraft, what: str) -> None:
    number = _number(what, draft.axes)
    if number is not None:
        del draft.axes[number]
        draft.picked = NEW_AXIS
        draft.focus = "axes-title"


def _remove_target(draft: SweepDraft, what: str) -> None:
    first, _, second = what.partition(".")
    number = _number(first, draft.axes)
    if number is not None and (item := _number(second, draft.axes[number].targets)) is not None:
        del draft.axes[number].targets[item]
        draft.focus = f"axis-{number}-name"


def _remove_file(draft: SweepDraft, what: str) -> None:
    number = _number(what, draft.files)
    if number is not None:
        del draft.files[number]
        draft.focus = "new_file"


def _show(draft: SweepDraft, what: str) -> None:
    draft.shown, draft.part, draft.focus = what, 1, "picks-title"


def _turn(draft: SweepDraft, what: str) -> None:
    draft.part, draft.focus = int(what) if _NUMBER.fullmatch(what) else 1, "picks-title"
