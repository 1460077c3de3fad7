"""What the toy engine takes from a configuration file of the sample repository."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Settings of vLLM under `engine:` of a file, by which the toy engine behaves.

    Attributes:
        max_num_seqs: the sequences in one step.
        max_num_batched_tokens: the tokens in one step, of prompts and answers together.
        tensor_parallel_size: the GPUs that share a step's work.
    """

    max_num_seqs: int
    max_num_batched_tokens: int
    tensor_parallel_size: int

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the settings in a file.

        Raises:
            KeyError: one is missing.
        """
        engine = yaml.safe_load(file.read_bytes())["engine"]
        return cls(**{name: int(engine[name]) for name in cls.__slots__})
