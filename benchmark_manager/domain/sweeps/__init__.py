"""Sweeps: definitions, the cells that they make, and definitions of other tools."""
