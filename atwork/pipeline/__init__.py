"""Pipelines of services on this machine, without Jenkins: real tools, and the rights of the simulated cloud."""
