"""Alerts: a catalog of rules as plain data, and what an environment takes of it."""
