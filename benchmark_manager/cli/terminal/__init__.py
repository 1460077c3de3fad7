"""Shared by all commands: options, output, and errors."""
