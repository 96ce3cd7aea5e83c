"""Proof that every pod of the platform could start and work on GKE, from what the simulated clouds hold."""
