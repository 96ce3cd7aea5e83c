"""The Pulumi program: reads one stack's settings and composes the components."""

PROJECT = "atwork"
"""Name of the Pulumi project, as in Pulumi.yaml; it is part of the names of the state's objects."""

CONFIG_KEY = f"{PROJECT}:stack"
"""The one key of ours in a stack file."""

PLATFORM = "platform"
"""The one output of a stack that other stacks read (`contract.Platform`)."""
