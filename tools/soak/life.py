"""What the soak knows of its environments, and how it runs commands in them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atwork.engine.urn import stack_of
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.provider.values import secret
from components.type_tokens import KUBERNETES_NAMESPACE, SECRET_VERSION
from tools.soak import invariants, project
from tools.soak.engines import Done, Engines, Started


class Disagreement(Exception):
    """Something that must hold does not."""


@dataclass
class Environment:
    """One stack: its settings, and what was done to it that the next commands have to bear."""

    name: str
    settings: dict[str, Any]
    up: bool = False
    cut_off: bool = False
    """A kill left it undecided: plain `pulumi` refuses it until `atwork sandbox up` has recovered it."""
    behind: set[str] = field(default_factory=set[str])
    """URNs that were changed behind Pulumi's back, and not refreshed yet."""


class Life:
    """The sandbox of a soak, with everything that is counted."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.home = project.make(folder)
        self.engines = Engines(self.home)
        self.chance = random.Random(seed)  # noqa: S311 (a walk that can be repeated, not a secret)
        self.faults = FaultStore(self.home.faults)
        self.figures: Counter[str] = Counter()
        self.secrets = [f"planted-{kind}-{seed:x}-{self.home.passphrase.read_text()[:8]}" for kind in ("sm", "k8s")]
        self.seen: dict[Path, invariants.Stamp] = {}
        """Files that were searched for secrets already."""
        self.environments = [
            Environment(name, project.settings(number, name)) for number, name in enumerate(project.STACKS)
        ]
        for item in self.environments:
            project.save(self.home, item.name, item.settings)

    def change(self, environment: Environment, *, grow: bool = False) -> str:
        """Edit a stack file at random; what changed."""
        make = project.grown if grow else project.edited
        environment.settings, reported = make(environment.settings, self.chance)
        project.save(self.home, environment.name, environment.settings)
        self.figures["edits"] += 1
        return reported

    def ended(self, started: Started, *, code: int | None = 0, holding: str = "") -> Done:
        """Wait for a command; `Disagreement` where it ends otherwise, or says what nobody should have to read."""
        done = started.ended()
        self.figures["commands"] += 1
        for what in ("Traceback", "panic:", "the simulation failed", *self.secrets):
            if what in done.printed:
                raise Disagreement(f"{started.process.args} printed {what!r}:\n{done.printed[-3000:]}")
        if code is not None and bool(done.code) != bool(code):
            raise Disagreement(f"{started.process.args} ended with {done.code}:\n{done.printed[-3000:]}")
        if holding not in done.printed:
            raise Disagreement(f"{started.process.args} does not say {holding!r}:\n{done.printed[-3000:]}")
        return done

    def up(self, environment: Environment) -> Done:
        """`atwork sandbox up STACK`, which has to succeed."""
        done = self.ended(self.engines.atwork("sandbox", "up", environment.name))
        self.recovered(environment, done)
        environment.up = True
        return done

    def recovered(self, environment: Environment, done: Done) -> None:
        """Record what an `up` recovered."""
        if environment.cut_off:
            self.figures["recoveries"] += 1
            environment.cut_off = False
        # Recovery refreshes the entire stack.
        if "comparing the state with the cloud" in done.printed:
            environment.behind.clear()

    def objects(self, environment: Environment) -> list[CloudObject]:
        """What the environment has in the simulated cloud."""
        return [item for item in Cloud(self.home.cloud).objects() if stack_of(item.urn) == environment.name]

    def plant(self, environment: Environment) -> None:
        """Put secrets where people and controllers put them: a version of a secret, what Kubernetes fills in."""
        cloud, (value, token) = Cloud(self.home.cloud), self.secrets
        cloud.update(CloudObject("", SECRET_VERSION, "soak/versions/1", "", {}, {"secretData": secret(value)}), set())
        accounts = [item for item in self.objects(environment) if item.type == KUBERNETES_NAMESPACE]
        for item in accounts[:1]:
            filled = {**item.outputs, "data": secret({"token": token})}
            cloud.edit(CloudObject(item.scope, item.type, item.id, item.urn, item.inputs, filled))
            environment.behind.add(item.urn)
        self.figures["secrets planted"] += 1 + len(accounts[:1])
