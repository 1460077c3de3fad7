"""Contents and lists of problems, each stored once."""
