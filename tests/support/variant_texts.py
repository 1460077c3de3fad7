"""The files of which the tests of commands make variants, and the text of a variant."""

from support.commands import ServiceCommands

CONTENT = b"# benchmark\nmodel: llama\ntensor_parallel_size: 2\nmax_model_len: 4096\n"
FILES = {
    "config/llama.yaml": CONTENT,
    "config/gemma.yaml": b"model: gemma\n",
    "config/broken.yaml": b"a: [\n",
}


async def content(cli: ServiceCommands, variant: str) -> str:
    return str((await cli.service.get(f"/modified-files/{variant}"))["content"])
