"""Faults of the simulated clouds: what goes wrong in real life, on demand and as often as it is wanted."""
