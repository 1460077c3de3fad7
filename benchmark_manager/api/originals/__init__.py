"""Routes of original files."""
