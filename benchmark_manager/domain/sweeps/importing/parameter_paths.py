"""Where in the files a tool's parameter is: the targets that people name, or else a guess.

A parameter is guessed by its last key, where that is unique among the paths of the files. If the
keys before it agree too, that path is preferred. `_` and `-` are the same letter here, and a
command line flag in a list (`args[--flag]`) and an environment variable (`env[name=X].value`) are
keys as well.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, TypeAlias

from benchmark_manager.domain.sweeps.importing.tool_sweep import line, note
from benchmark_manager.domain.sweeps.targets import target_text
from benchmark_manager.models.sweep import SweepNote, Target

#: Targets that a note on an ambiguous parameter names.
_SHOWN: Final = 3

Keys: TypeAlias = tuple[str, ...]

#: A string continues to the end of the text where no quote ends it, so that it is read once.
_STRING: Final = r'"(?:[^"\\]++|\\[\s\S]?)*+"?'
_STEP: Final = re.compile(rf'{_STRING}|\[(?:[^\]"]++|{_STRING})*+\]?|[^.\[\]" ]++')


class ParameterPaths:
    """The targets of parameters, and notes on those that have none."""

    def __init__(
        self,
        parameters: Iterable[str],
        targets: Mapping[str, tuple[Target, ...]],
        paths_of: Mapping[str, Iterable[str]],
    ) -> None:
        """Find the paths that parameters may mean; `targets` are known already."""
        self._known = {_keys_of_name(name): found for name, found in targets.items()}
        self._unused = {_keys_of_name(name): name for name in targets}
        self._candidates = _Candidates({_keys_of_name(name) for name in parameters})
        self._notes: dict[str, SweepNote] = {}
        for alias, paths in paths_of.items():
            for path in paths:
                self._candidates.add(Target(alias=alias, path=path))

    def targets_of(self, name: str) -> tuple[Target, ...]:
        """Return where a parameter is set; nothing, and a note, where that is not known."""
        keys = _keys_of_name(name)
        if keys in self._known:
            self._unused.pop(keys, None)
            return self._known[keys]
        found = self._candidates.of(keys)
        if len(found) == 1:
            return tuple(found)
        self._notes[name] = (
            note("parameter_ambiguous", name, count=len(found), targets=_shown(found))
            if found
            else note("parameter_unknown", name)
        )
        return ()

    def notes(self) -> tuple[SweepNote, ...]:
        """Return a note on each parameter without a target, and each target without one."""
        unused = (note("target_unused", name) for name in self._unused.values())
        return (*self._notes.values(), *unused)


def _shown(found: Iterable[Target]) -> str:
    """Return the first targets that may be meant, for the person to choose from."""
    return ", ".join(line(target_text(target)) for target in islice(found, _SHOWN))


class _Candidates:
    """The paths that may be meant by the keys of parameters.

    Only what is asked for is kept, since files may have many more paths than there are parameters.
    """

    def __init__(self, wanted: set[Keys]) -> None:
        self._wanted = wanted
        self._lengths: dict[str, set[int]] = {}
        for keys in wanted:
            self._lengths.setdefault(keys[-1], set()).add(len(keys))
        self._whole: dict[Keys, list[Target]] = {}
        self._agreeing: dict[Keys, list[Target]] = {}
        self._by_last_key: dict[str, list[Target]] = {}

    def add(self, target: Target) -> None:
        """Keep a path if a parameter may mean it."""
        for keys in _keys_of_path(target.path):
            if keys[-1] not in self._lengths:
                continue
            self._by_last_key.setdefault(keys[-1], []).append(target)
            if keys in self._wanted:
                self._whole.setdefault(keys, []).append(target)
            for length in self._lengths[keys[-1]]:
                if keys[-length:] in self._wanted:
                    self._agreeing.setdefault(keys[-length:], []).append(target)

    def of(self, keys: Keys) -> Sequence[Target]:
        """Return the paths that the keys mean best; one only if they are clear."""
        whole = self._whole.get(keys, [])
        if len(whole) == 1:
            return whole
        return self._agreeing.get(keys) or self._by_last_key.get(keys[-1], [])


def _keys_of_name(name: str) -> Keys:
    """Return the keys of a tool's name such as `--a-b` or `load.stages.0.rate`."""
    return tuple(_key(part) for part in name.split("."))


def _keys_of_path(path: str) -> list[Keys]:
    """Return the keys of a path, and others by which its value may be called."""
    steps = _STEP.findall(path.removesuffix("?"))
    if not steps:
        return []
    *before, last = steps
    if last.startswith("[-"):
        return [(*map(_key_of_step, before), *_keys_of_name(last[1:-1]))]
    if last.startswith("["):
        return []
    keys = tuple(map(_key_of_step, steps))
    is_variable = last == "value" and before and before[-1].startswith("[name=")
    return [keys, keys[:-1]] if is_variable else [keys]


def _key_of_step(step: str) -> str:
    """Return the key of a step: `a`, `"a"`, `[2]`, `[name=a]` or `[name="a"]`."""
    inner = step[1:-1].partition("=")[2] or step[1:-1] if step.startswith("[") else step
    if not inner.startswith('"'):
        return _key(inner)
    with suppress(ValueError):
        return _key(str(json.loads(inner)))
    return _key(inner)


def _key(text: str) -> str:
    return text.lstrip("-").replace("_", "-")
