"""Numbers and addresses that Google Cloud assigns: they look real and never change."""

from __future__ import annotations

from atwork.sandbox.provider.names import stable_hex, stable_number


def project_number(project: str) -> str:
    """The number of a project that a stack created."""
    return stable_number("project", project)


def address(identity: str, prefix: str) -> str:
    """An IPv4 address below a prefix of one to three numbers; it depends only on the identity."""
    missing = 4 - len(prefix.split("."))
    digits = stable_hex("address", identity)
    parts = [str(1 + int(digits[2 * index : 2 * index + 2], 16) % 254) for index in range(missing)]
    return ".".join([prefix, *parts])
