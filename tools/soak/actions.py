"""The actions of a soak: what can happen in a step, how often, and in which environments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.soak import drift, faults, interruptions, updates
from tools.soak.life import Life, SoakEnvironment


@dataclass(frozen=True)
class Action:
    """A kind of step. It describes what it did, or raises `Disagreement` if a command behaved otherwise."""

    name: str
    weight: int
    """How often it is chosen, relative to the other actions."""
    run: Callable[[Life, SoakEnvironment], str]
    needs_up: bool = True
    allows_interrupted: bool = False

    def possible(self, environment: SoakEnvironment) -> bool:
        """Whether the state of an environment allows it."""
        return (environment.up or not self.needs_up) and (not environment.interrupted or self.allows_interrupted)


REPAIR = Action("repair", 6, updates.repair, needs_up=False, allows_interrupted=True)
ACTIONS = (
    Action("change", 5, updates.change, needs_up=False),
    Action("no change", 1, updates.no_change),
    Action("fault", 7, faults.fault, needs_up=False),
    Action("no API server", 1, faults.unreachable),
    Action("refresh", 2, drift.refresh),
    Action("drift", 2, drift.drift),
    Action("lost object", 1, drift.lost),
    Action("same stack", 2, updates.same_stack, needs_up=False),
    Action("other stack", 2, updates.other_stack),
    Action("destroy", 1, updates.down),
    REPAIR,
    Action("kill all", 4, interruptions.kill_all, needs_up=False, allows_interrupted=True),
    Action("kill engine", 3, interruptions.kill_engine, needs_up=False, allows_interrupted=True),
    Action("kill provider", 3, interruptions.kill_provider, needs_up=False, allows_interrupted=True),
    Action("Ctrl-C", 3, interruptions.cancel, needs_up=False),
    Action("lock", 2, interruptions.lock, needs_up=False, allows_interrupted=True),
)
