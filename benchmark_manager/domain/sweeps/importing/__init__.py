"""Definitions of other tools' sweeps, taken over as definitions of ours."""
