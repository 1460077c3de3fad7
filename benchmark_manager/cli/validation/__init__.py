"""Commands that validate files."""
