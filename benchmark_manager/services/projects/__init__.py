"""Projects, their repositories and credentials."""
