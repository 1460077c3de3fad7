"""The sync: coordinator, runner, reader, copying, and polling."""
