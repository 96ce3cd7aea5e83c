"""`atwork environment jobs`: the stacks that a change reaches, divided among the jobs of a pipeline.

A job that previews or looks for drift has some stacks of one environment, whose identity it uses. A job that updates
has one stack, so that two teams do not wait for each other; a change of very many stacks shares jobs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from atwork.checkout import Checkout, find_checkout
from atwork.errors import UsageError
from atwork.preview import reached
from infra.promotion import Stage
from infra.stack_name import StackName

JOBS = 200
"""About the most jobs of one kind. GitHub runs at most 256 jobs of a matrix in one run of a workflow.
https://docs.github.com/en/actions/reference/limits"""

BATCH = 25
"""Stacks of a job that only reads, while there are few jobs."""


def show(*, base: str, merged: bool, since: str, github: bool) -> int:
    """Print the jobs as JSON, or as outputs of a step in a workflow of GitHub."""
    if base and merged:
        raise UsageError("--base and --merged: name one of them")
    if since and not merged:
        raise UsageError("--since: add --merged, or name the commit with --base")
    checkout, console = find_checkout(), Console(stderr=True, highlight=False)
    stacks = checkout.stack_names()
    if base:
        stacks = reached.since(stacks, base, console)
    elif merged:
        stacks = reached.merged(stacks, since)
    divided = divide(checkout, stacks)
    if github:
        for key, value in divided.items():
            print(f"{key}={json.dumps(value)}")
    else:
        print(json.dumps(divided, indent=2))
    return 0


def divide(checkout: Checkout, stacks: Sequence[str], *, most: int = JOBS) -> dict[str, Any]:
    """The jobs for some stacks of a checkout, which are in its order.

    jobs: [{name, environment, stacks}], stacks with spaces between them, for jobs with the identity of an environment.
    batches: [stacks], for jobs with one identity for all environments.
    build, test, production, ephemeral: [{environment, own, groups}], the updates of a stage: whether the environment's
    own stack is updated, and the jobs of its groups after it, which do not wait for each other.
    """
    names = [StackName.parse(stack) for stack in stacks]
    environments = list(dict.fromkeys(name.environment for name in names))
    of_environment = {key: [str(name) for name in names if name.environment == key] for key in environments}
    groups = {key: [stack for stack in own if stack != key] for key, own in of_environment.items()}
    size = max(BATCH, math.ceil(len(names) / most))
    share = max(1, math.ceil(sum(map(len, groups.values())) / most))
    stages = checkout.stages()
    updates = {
        key: {
            "environment": key,
            "own": key in of_environment[key],
            "groups": list(_batches(groups[key], share)),
        }
        for key in environments
    }
    return {
        "jobs": [
            {"name": batch.partition(" ")[0], "environment": key, "stacks": batch}
            for key, own in of_environment.items()
            for batch in _batches(own, size)
        ],
        "batches": list(_batches(stacks, size)),
        **{stage.value: [updates[key] for key in environments if stages[key] is stage] for stage in Stage},
    }


def _batches(stacks: Sequence[str], size: int) -> Iterator[str]:
    for start in range(0, len(stacks), size):
        yield " ".join(stacks[start : start + size])
