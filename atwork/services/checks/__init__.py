"""Checks of a service's repository, by file."""
