"""The Pulumi program: reads one stack's settings and composes the components."""

from components.names import CONFIG_KEY, PROJECT

__all__ = ["CONFIG_KEY", "PLATFORM", "PROJECT"]

PLATFORM = "platform"
"""The one output of a stack that other stacks read (`contract.Platform`)."""
