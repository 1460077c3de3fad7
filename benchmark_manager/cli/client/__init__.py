"""The client of the HTTP API that the commands use."""
