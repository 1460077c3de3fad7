"""YAML as a stream of events, and what its scalars mean."""
