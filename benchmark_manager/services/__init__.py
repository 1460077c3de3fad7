"""Verbs a user knows: each decides, and lets a store or the GitHub client do."""
