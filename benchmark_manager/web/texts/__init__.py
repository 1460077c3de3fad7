"""Texts on pages: listings, differences, and invisible characters made visible."""
