"""The changes of a merge as edits of a text."""
