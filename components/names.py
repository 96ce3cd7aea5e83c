"""Names that the program, the policies and the command share. Plain data, so that every package may import it."""

from __future__ import annotations

PROJECT = "atwork"
"""Name of the Pulumi project, as in Pulumi.yaml; it is part of the names of objects in the state."""

CONFIG_KEY = f"{PROJECT}:stack"
"""The key of the project's settings in a stack file."""


def stack_file_name(stack: str) -> str:
    """The name of the file of a stack."""
    return f"Pulumi.{stack}.yaml"
