"""How many GPUs a container's command, arguments and variables need, where that is clear.

The options are vLLM's: https://docs.vllm.ai/en/latest/cli/serve/. Its command line overrides its
file of settings. Where other programs, several servers, several machines or unknown variables are
involved, the number is unclear.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from benchmark_manager.domain.validation.texts.placeholders import value_holds_placeholder
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping, sequence

DIMENSIONS: Final = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
"""Their product is the number of GPUs of one server."""

_SHORT: Final = {"-tp": DIMENSIONS[0], "-pp": DIMENSIONS[1], "-dp": DIMENSIONS[2]}
_VARIABLES: Final = {
    **{name.upper(): name for name in DIMENSIONS},
    **{f"VLLM_{name.upper()}": name for name in DIMENSIONS},
    "TP_SIZE": DIMENSIONS[0],
    "PP_SIZE": DIMENSIONS[1],
    "DP_SIZE": DIMENSIONS[2],
}
#: Other options about parallelism, of vLLM and others; each makes the number of GPUs unclear.
_ELSE: Final = re.compile(
    r"--?(?:[dtp]p(?![a-z])|(?:tensor|pipeline|data|(?:prefill[-_]|decode[-_])?context)[-_]par"
    r"|nnodes|node[-_]rank|headless|num[-_](?:nodes|instances|replicas)|replicas|enable[-_]dp"
    r"|distributed[-_]executor|master[-_]addr|dist[-_]init)"
)
#: A size of parallelism or a number of GPUs in any form. Where one is not an option that is read
#: here, the number of GPUs is unclear.
_MENTION: Final = re.compile(
    r"(?:tensor|pipeline|data|context|sequence|model)[-_.]?parallel"
    r"|parallel(?:ism|[-_.]?(?:size|degree|rank))|(?<![a-z0-9])n?gpus(?![a-z])"
    r"|(?:num|number|count|total|(?<![a-z])n)[-_]?(?:of[-_]?)?gpus?(?![a-z])"
    r"|gpus?[-_]?(?:count|number|num|per)(?![a-z])|world[-_]?size|nproc|num[-_]?shard"
    r"|(?<![a-z0-9/_-])[tpd]p(?:[-_]?(?:size|degree))?[\"']?[=:]"
    r"|(?<![\w-])--?(?:[tpd]p(?![a-z])|parallel(?![\w-]))",
    re.IGNORECASE,
)
_MENTIONING_NAME: Final = re.compile(r"(?:\A|_)[TPD]P(?:_|SIZE|\Z)", re.IGNORECASE)
#: Counts of servers, machines or GPUs; with more than one, the sizes are those of a part.
_COUNTED: Final = re.compile(
    r"(?:.*[-_.])?(?:n(?:um)?)?"
    r"(?:engines?|replicas?|instances?|servers?|workers?|nodes?|machines?|hosts?|copies|shards?"
    r"|gpus?|devices?|prefills?|prefillers?|decodes?|decoders?)"
    r"(?:[-_](?:count|ids?|num|per[-_].*))?",
    re.IGNORECASE | re.DOTALL,
)
_NUMBERS: Final = re.compile(r"[0-9][0-9, ]*")
#: Programs that start servers on several machines, distribute GPUs, change files or call servers,
#: and words of the shell for loops and conditions.
_PROGRAMS: Final = frozenset(
    {
        *(
            "ray",
            "mpirun",
            "mpiexec",
            "torchrun",
            "srun",
            "deepspeed",
            "accelerate",
            "horovodrun",
            "parallel",
            "xargs",
        ),
        *(
            "for",
            "while",
            "until",
            "case",
            "if",
            "eval",
            "sglang",
            "trtllm-serve",
            "trtllm-llmapi-launch",
            "lmdeploy",
        ),
        *("sglang.launch_server", "sglang_router.launch_server", "torch.distributed.run", "dynamo"),
        *("sed", "yq", "perl", "awk", "envsubst", "patch", "tee", "cp", "mv", "kubectl", "helm"),
        *("benchmark_serving.py", "guidellm", "genai-perf", "aiperf", "inference-perf"),
    }
)
#: What `vllm` does other than serving; `bench` has subcommands.
_CLIENTS: Final = frozenset({"bench", "chat", "complete", "run-batch"})
_BENCHMARKS: Final = frozenset({"serve", "throughput", "latency", "startup", "sweep"})
_OUTPUTS: Final = frozenset({"-o", "-O", "--output"})
_PRINTERS: Final = frozenset({"echo", "printf"})
_SEPARATORS: Final = frozenset(";|&")
_SHARED_OUT: Final = re.compile(
    r".*_VISIBLE_DEVICES|RAY_.*|NNODES|NODE_RANK|WORLD_SIZE|MASTER_ADDR|LWS_.*|VLLM_DP_.*"
)
_ANY_ARGUMENTS: Final = re.compile(r"\A\Z|[@*]|ARG|OPT|FLAG|EXTRA|PARAM|CMD|COMMAND", re.IGNORECASE)
_LINE_JOIN: Final = re.compile(r"\\\r?\n")
_COMMENT: Final = re.compile(r"(?<!\S)#[^\r\n]*+")
_WRITTEN: Final = re.compile(r">[ \t\"']*+([^\s;|&<>\"']++)")
_SETTINGS: Final = (".yaml", ".yml", ".json")
_TOKEN: Final = re.compile(r"(?:\$\([\w.-]+\)|[^\s;|&<>()`])++|[;|&]")
_REFERENCE: Final = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|\((?P<own>[A-Za-z_][\w.-]*)\)|(?P<bare>[A-Za-z_]\w*|[@*]))"
)
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")
#: Words of a container, and variables that stand for several words; a container with more runs a
#: program of its own.
_MAX_TOKENS: Final = 5_000
_MAX_INSERTED: Final = 8


class NotPlainError(Exception):
    """It is unclear how many GPUs a container's program uses."""


@dataclass(slots=True)
class _Reading:
    """What has been read of one command line so far."""

    variables: Mapping[str, str]
    sizes: dict[str, int] = field(default_factory=dict)
    assigned: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    prints: bool = False
    servers: int = 0
    inserted: int = 0


def stated_sizes(container: dict[str, Value]) -> dict[str, int]:
    """Return the sizes that a container's arguments, or else its variables, set in `DIMENSIONS`.

    Raises:
        NotPlainError: the manifest does not show them, or they are not the only ones that count.

    >>> stated_sizes({"args": ["serve", "m", "-tp", "$(N)"], "env": [{"name": "N", "value": "8"}]})
    {'tensor_parallel_size': 8}
    """
    reading = _Reading(_variables(container))
    words = [word for member in ("command", "args") for word in sequence(container.get(member))]
    _read(_tokens(words), reading)
    if reading.servers > 1:
        raise NotPlainError
    return _from_variables(reading) | reading.sizes


def mentions_size(text: str) -> bool:
    """Return whether a text mentions a size of parallelism or a number of GPUs in some form.

    >>> [mentions_size(text) for text in ("engine.tensor_parallel_size=4", "NUM_GPUS", "tp8.yaml")]
    [True, True, False]
    """
    return _MENTION.search(text) is not None


def counts_several(name: str, value: Value) -> bool:
    """Return whether a setting is a number of servers, machines or GPUs other than one.

    >>> [counts_several(*pair) for pair in (("n_engines", 2), ("replicas", "1"), ("port", 80))]
    [True, False, False]
    """
    if isinstance(value, str):
        if not (_NUMBERS.fullmatch(value) or value_holds_placeholder(value)):
            return False
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value not in {1, "1"} and _COUNTED.fullmatch(name) is not None


def without_comments(script: str) -> str:
    """Return a shell script without its comments."""
    return _COMMENT.sub("", script)


def _variables(container: dict[str, Value]) -> dict[str, str]:
    """Return the variables that have a value in the manifest itself."""
    if sequence(container.get("envFrom")):
        raise NotPlainError
    found: dict[str, str] = {}
    for variable in sequence(container.get("env")):
        name, value = mapping(variable).get("name"), mapping(variable).get("value")
        if not isinstance(name, str):
            continue
        if _SHARED_OUT.fullmatch(name) or (name in _VARIABLES and not isinstance(value, str)):
            raise NotPlainError
        if isinstance(value, str):
            found[name] = value
        elif _names_size(name):
            raise NotPlainError
    return found


def _from_variables(reading: _Reading) -> dict[str, int]:
    sizes: dict[str, int] = {}
    inner = _Reading(reading.variables, used=reading.used)
    for name, value in reading.variables.items():
        if name in _VARIABLES:
            _take(sizes, _VARIABLES[name], value)
        # A variable with options, which an image's own script adds to its command line.
        elif mentions_size(value):
            inner.sizes = {}
            _read(_tokens([value]), inner)
            for dimension, size in inner.sizes.items():
                _take(sizes, dimension, str(size))
    for name in reading.variables.keys() - _VARIABLES.keys() - reading.used:
        if _names_size(name) or counts_several(name, reading.variables[name]):
            raise NotPlainError
    return sizes


def _names_size(name: str) -> bool:
    return mentions_size(name) or _MENTIONING_NAME.search(name) is not None


def _tokens(words: list[Value]) -> list[str]:
    """Return the words of a command line, and the words of each argument that is a script."""
    tokens: list[str] = []
    for word in words:
        if isinstance(word, str):
            tokens += [word] if len(word.split(maxsplit=1)) == 1 else _words_of_script(word)
        if len(tokens) > _MAX_TOKENS:
            raise NotPlainError
    return tokens


def _words_of_script(script: str) -> Iterator[str]:
    if any(written.lower().endswith(_SETTINGS) for written in _WRITTEN.findall(script)):
        raise NotPlainError
    for line in _LINE_JOIN.sub(" ", without_comments(script)).splitlines():
        for token in _TOKEN.findall(line):
            yield token.strip("\"'")
        yield ";"


def _read(tokens: list[str], reading: _Reading) -> None:
    is_value = False
    for number, token in enumerate(tokens):
        following = tokens[number + 1] if number + 1 < len(tokens) else ""
        program = token.rpartition("/")[2]
        if program in _PROGRAMS or _is_client(program, following) or _is_written(token, following):
            raise NotPlainError
        if is_value:
            is_value = False
        elif token in _SEPARATORS:
            reading.prints = False
        elif program in _PRINTERS:
            reading.prints = True
        elif (program == "vllm" and following == "serve") or token.startswith("vllm.entrypoints"):
            reading.servers += 1
        elif (dimension := _dimension(token)) is not None and not reading.prints:
            is_value = _option(token, dimension, following, reading)
        else:
            _read_other(token, following, reading)


def _read_other(token: str, following: str, reading: _Reading) -> None:
    name, equals, value = token.partition("=")
    if mentions_size(token) or (token.startswith("-") and makes_it_unclear(name)):
        raise NotPlainError
    if (equals or token.startswith("-")) and counts_several(
        name.lstrip("-+"), value if equals else following
    ):
        raise NotPlainError
    if (assignment := _ASSIGNMENT.match(token)) is not None:
        _assign(assignment[1], reading)
    elif token.startswith("$"):
        _insert(token, reading)


def _is_client(program: str, following: str) -> bool:
    return (program == "vllm" and following in _CLIENTS) or (
        program == "bench" and following in _BENCHMARKS
    )


def _is_written(option: str, file: str) -> bool:
    return option in _OUTPUTS and file.lower().endswith(_SETTINGS)


def _assign(name: str, reading: _Reading) -> None:
    if _SHARED_OUT.fullmatch(name) or _names_size(name):
        raise NotPlainError
    reading.assigned.add(name)


def _dimension(token: str) -> str | None:
    """Return the dimension whose size a token sets as an option of vLLM."""
    option = token.partition("=")[0]
    if option.startswith("--"):
        name = option.removeprefix("--").replace("-", "_")
        return name if name in DIMENSIONS else None
    return _SHORT.get(option)


def _option(token: str, dimension: str, following: str, reading: _Reading) -> bool:
    """Record the size that an option sets, and return whether the next token is its value."""
    if dimension in reading.sizes:
        raise NotPlainError
    _, equals, value = token.partition("=")
    given = value.strip("\"'") if equals else following
    name = _name_in(given)
    if name is not None:
        reading.used.add(name)
    _take(reading.sizes, dimension, given if name is None else _known(name, reading) or "")
    return not equals


def makes_it_unclear(option: str) -> bool:
    """Return whether an option, with its hyphens, makes the number of GPUs unclear."""
    return _ELSE.match(option) is not None


def _insert(token: str, reading: _Reading) -> None:
    """Read a variable that stands for words.

    Raises:
        NotPlainError: it is unknown and may stand for any options.
    """
    name = _name_in(token)
    if name is None:
        return
    value = _known(name, reading)
    if value is None:
        if _ANY_ARGUMENTS.search(name):
            raise NotPlainError
        return
    tokens = _tokens([value])
    if len(tokens) > 1 or value.startswith("-"):
        reading.inserted += 1
        if reading.inserted > _MAX_INSERTED:
            raise NotPlainError
        _read(tokens, reading)


def _name_in(word: str) -> str | None:
    """Return the variable's name if a word is a variable, "" for a command's output, else None."""
    whole = _REFERENCE.fullmatch(word)
    if whole is not None:
        return whole["braced"] or whole["own"] or whole["bare"]
    return "" if word == "$" else None


def _known(name: str, reading: _Reading) -> str | None:
    return None if name in reading.assigned else reading.variables.get(name)


def _take(sizes: dict[str, int], dimension: str, value: str) -> None:
    if not _NUMBER.fullmatch(value) or sizes.get(dimension, int(value)) != int(value):
        raise NotPlainError
    sizes[dimension] = int(value)
