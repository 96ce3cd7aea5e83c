"""Simulated Kubernetes: one API server for each cluster of the simulated Google Cloud."""
