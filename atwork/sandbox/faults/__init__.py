"""Faults of the simulated clouds: errors, delays and drift on demand."""
