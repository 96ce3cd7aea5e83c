"""Containers on this machine, as root and without a daemon: BuildKit builds images, runc runs them.

Nothing outlives the process that started it: see `atwork.containers.namespaces`.
"""
