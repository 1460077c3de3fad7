"""Rules for the text itself: YAML, JSON, templates and characters."""
