"""Simulated providers: generic resource providers whose schema is read from the installed SDKs."""
