"""Charts of results, drawn by the server."""
