"""The environments of a soak, their expected state, and the commands that run in them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atwork.engine.urn import stack_of
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.faults.store import FaultStore
from atwork.sandbox.home import Home
from atwork.sandbox.provider.values import secret
from components.type_tokens import KUBERNETES_NAMESPACE, SECRET_VERSION
from tools.soak import invariants, project
from tools.soak.engines import Done, Engines, Started


class Disagreement(Exception):
    """A command or an invariant did not behave as expected."""


@dataclass
class SoakEnvironment:
    """A stack: its settings, and what earlier steps did to it."""

    name: str
    settings: dict[str, Any]
    up: bool = False
    interrupted: bool = False
    """A kill left pending operations: plain `pulumi` refuses it until `atwork sandbox up` has recovered it."""
    drifted: set[str] = field(default_factory=set[str])
    """URNs that were changed without Pulumi and not refreshed since."""


class Life:
    """The sandbox of a soak and its figures."""

    def __init__(self, home: Home, seed: int) -> None:
        self.home = home
        self.engines = Engines(self.home)
        self.chance = random.Random(seed)  # noqa: S311 (a repeatable walk, not a secret)
        self.faults = FaultStore(self.home.faults)
        self.figures: Counter[str] = Counter()
        self.secrets = [f"planted-{kind}-{seed:x}-{self.home.passphrase.read_text()[:8]}" for kind in ("sm", "k8s")]
        self.seen: dict[Path, invariants.Stamp] = {}
        """Stamps of the files that were already searched for secrets."""
        self.environments = [
            SoakEnvironment(name, project.settings(number, name)) for number, name in enumerate(project.STACKS)
        ]

    @classmethod
    def new(cls, folder: Path, seed: int) -> Life:
        """A sandbox without objects, with the first settings of its environments."""
        life = cls(project.make(folder), seed)
        for item in life.environments:
            project.save(life.home, item.name, item.settings)
        return life

    def change(self, environment: SoakEnvironment, *, grow: bool = False) -> str:
        """Edit a stack file at random; return a description of the change."""
        edit = project.grown if grow else project.edited
        environment.settings, changed = edit(environment.settings, self.chance)
        project.save(self.home, environment.name, environment.settings)
        self.figures["edits"] += 1
        self._adopt(environment)
        return changed

    def _adopt(self, environment: SoakEnvironment) -> None:
        """Import what an unfinished removal left in a database instance that the stack file has again, as people do."""
        left = invariants.left_in_instances(self.home, environment.name, environment.settings["project"]["id"])
        if environment.settings["databases"] and left:
            self.ended(self.engines.atwork("environment", "adopt", environment.name, "--yes"))
            self.figures["adoptions"] += 1

    def ended(self, started: Started, *, code: int | None = 0, holding: str = "") -> Done:
        """Wait for a command; `Disagreement` for another exit code, missing text, a stack trace or a secret."""
        done = started.ended()
        self.figures["commands"] += 1
        for text in ("Traceback", "panic:", "the simulation failed", *self.secrets):
            if text in done.printed:
                raise Disagreement(f"{' '.join(started.words)} printed {text!r}:\n{done.printed[-3000:]}")
        if code is not None and bool(done.code) != bool(code):
            raise Disagreement(f"{' '.join(started.words)}: exit code {done.code}:\n{done.printed[-3000:]}")
        if holding not in done.printed:
            raise Disagreement(f"{' '.join(started.words)} did not print {holding!r}:\n{done.printed[-3000:]}")
        return done

    def up(self, environment: SoakEnvironment) -> Done:
        """Run `atwork sandbox up STACK`, which must succeed."""
        done = self.ended(self.engines.atwork("sandbox", "up", environment.name))
        self.recovered(environment, done)
        environment.up = True
        return done

    def recovered(self, environment: SoakEnvironment, done: Done) -> None:
        """Record what an `up` recovered."""
        if environment.interrupted:
            self.figures["recoveries"] += 1
            environment.interrupted = False
        # Recovery refreshes the entire stack.
        if "comparing the state with the cloud" in done.printed:
            environment.drifted.clear()

    def objects(self, environment: SoakEnvironment) -> list[CloudObject]:
        """The objects of the environment in the simulated cloud."""
        return [item for item in Cloud(self.home.cloud).objects() if stack_of(item.urn) == environment.name]

    def plant(self, environment: SoakEnvironment) -> None:
        """Add secrets as people and controllers do: a version of a secret, and data of a Kubernetes object."""
        cloud, (value, token) = Cloud(self.home.cloud), self.secrets
        cloud.update(CloudObject("", SECRET_VERSION, "soak/versions/1", "", {}, {"secretData": secret(value)}), set())
        namespaces = [item for item in self.objects(environment) if item.type == KUBERNETES_NAMESPACE]
        for item in namespaces[:1]:
            outputs = {**item.outputs, "data": secret({"token": token})}
            cloud.edit(CloudObject(item.scope, item.type, item.id, item.urn, item.inputs, outputs))
            environment.drifted.add(item.urn)
        self.figures["secrets planted"] += 1 + len(namespaces[:1])
