"""Git's own rules: names of objects."""
