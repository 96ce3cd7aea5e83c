"""Updates and destroys without faults: they must succeed, and change only what they have to."""

from __future__ import annotations

import time

from tools.soak import invariants
from tools.soak.life import Disagreement, Life, SoakEnvironment


def change(life: Life, environment: SoakEnvironment) -> str:
    """Edit the stack file and update."""
    changed = life.change(environment)
    life.up(environment)
    return changed


def no_change(life: Life, environment: SoakEnvironment) -> str:
    """Update twice: the second update has nothing to do."""
    life.up(environment)
    unchanged(life, environment)
    return "nothing to do the second time"


def unchanged(life: Life, environment: SoakEnvironment) -> None:
    """Update an environment that needs no change; `Disagreement` if something is changed."""
    done = life.up(environment)
    [row] = [line.split() for line in done.printed.splitlines() if line.startswith(f"{environment.name} ")][:1]
    if row[3:7] != ["·"] * 4:
        raise Disagreement(f"{environment.name}: an `up` without a change changed something:\n{done.printed}")


def repair(life: Life, environment: SoakEnvironment) -> str:
    """Update after whatever happened before."""
    began = time.monotonic()
    life.up(environment)
    return f"repaired in {time.monotonic() - began:.0f} s"


def same_stack(life: Life, environment: SoakEnvironment) -> str:
    """Start three updates of a stack: the first succeeds, the others name its lock and how to release it."""
    changed = life.change(environment, grow=True)
    first = life.engines.atwork("sandbox", "up", environment.name)
    if not first.until(lambda: bool(invariants.locks(life.home, environment.name))):
        raise Disagreement(f"an `up` took no lock:\n{first.ended().printed[-2000:]}")
    with first.held() as held:
        in_time = held and bool(invariants.locks(life.home, environment.name))
        if in_time:
            life.ended(
                life.engines.atwork("sandbox", "up", environment.name),
                code=1,
                holding="is running; wait for it",  # the message of the lock
            )
            options = ("--yes", "--skip-preview")
            life.ended(life.engines.pulumi("up", "-s", environment.name, *options), code=1, holding="pulumi cancel")
    life.ended(first)
    environment.up = True
    return f"{changed}, {'three updates at the same time' if in_time else 'the first ended before the others started'}"


def other_stack(life: Life, environment: SoakEnvironment) -> str:
    """Update different stacks at the same time: all updates succeed."""
    environments = [item for item in life.environments if not item.interrupted]
    changed = [life.change(item) for item in environments]
    options = ("--yes", "--skip-preview")
    updates = [life.engines.pulumi("up", "-s", item.name, *options) for item in environments]
    for item, update in zip(environments, updates, strict=True):
        life.ended(update)
        item.up = True
    del environment
    return f"{', '.join(changed)}, each stack with its own engine"


def down(life: Life, environment: SoakEnvironment) -> str:
    """Destroy the environment; nothing of it remains in the cloud."""
    life.ended(life.engines.atwork("sandbox", "down", environment.name), holding="Nothing is left.")
    left = [item.urn for item in life.objects(environment)]
    if left:
        raise Disagreement(f"after a destroy the cloud still has {', '.join(left)}")
    environment.up = False
    environment.drifted.clear()
    return "nothing is left"
