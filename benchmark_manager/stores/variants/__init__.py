"""The collections of variants, revisions and the trash."""
