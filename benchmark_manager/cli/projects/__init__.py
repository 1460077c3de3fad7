"""Commands about projects and their syncs."""
