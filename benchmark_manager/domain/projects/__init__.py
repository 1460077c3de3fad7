"""Repositories, refs, folders and file patterns, as people write them."""
