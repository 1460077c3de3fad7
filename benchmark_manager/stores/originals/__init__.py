"""The collections of original files and their histories."""
