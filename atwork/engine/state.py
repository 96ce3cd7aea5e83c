"""What a stack's state says of other stacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REFERENCE = "pulumi:pulumi:StackReference"


def read_stacks(deployment: Mapping[str, Any]) -> frozenset[str]:
    """Names of the stacks whose outputs a stack read at its last update, as in stacks/Pulumi.NAME.yaml.

    `deployment` is the stack's state, as `pulumi stack export` has it under that key; a reference names its stack as
    ORGANIZATION/PROJECT/NAME or as NAME (https://www.pulumi.com/docs/iac/concepts/stacks/#stackreferences).
    """
    inputs = (
        resource.get("inputs") or {}
        for resource in deployment.get("resources") or ()
        if resource.get("type") == _REFERENCE
    )
    return frozenset(str(reference["name"]).rpartition("/")[2] for reference in inputs if reference.get("name"))
