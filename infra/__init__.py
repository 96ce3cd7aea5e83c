"""The Pulumi program: reads one stack's settings and composes the components."""

CONFIG_KEY = "atwork:stack"
"""The one key of ours in a stack file."""

PLATFORM = "platform"
"""The one output of a stack that other stacks read (`contract.Platform`)."""
