"""The collection of projects."""
