"""Pages of original files."""
