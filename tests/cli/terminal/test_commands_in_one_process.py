"""Commands of the tests that run in one process: none changes the log of the next."""

import logging

from support.commands import ServiceCommands


async def test_the_log_goes_where_it_went_before_a_command_that_sets_it_up(
    cli: ServiceCommands,
) -> None:
    handlers = list(logging.getLogger().handlers)
    level = logging.getLogger().level
    file = cli.folder / "a.yaml"
    file.write_text("a: 1\n")
    await cli("validate", str(file))
    assert logging.getLogger().handlers == handlers
    assert logging.getLogger().level == level
