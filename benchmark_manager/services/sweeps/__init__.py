"""Making, reading and changing sweeps."""
