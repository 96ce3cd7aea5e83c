"""The Pulumi program: reads one stack's settings and composes the components."""

from components.names import CONFIG_KEY, PROJECT

__all__ = ["CONFIG_KEY", "PLATFORM", "PROJECT", "SHARED"]

PLATFORM = "platform"
"""The output of an environment's stack that later environments read (`contract.Platform`)."""

SHARED = "shared"
"""The output of an environment's stack that the stacks of its groups of services read (`contract.Shared`)."""
