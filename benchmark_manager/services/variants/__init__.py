"""Variants: editing, comparing, merging, revisions and the trash."""
