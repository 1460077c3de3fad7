"""The embedded database: a server process for evaluation on one machine."""
