"""The collections of sweeps, of their versions, and of their cells."""
