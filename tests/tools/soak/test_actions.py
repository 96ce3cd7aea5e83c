"""An action that needs an object of an environment that has none yet."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any, cast

from tools.soak import drift
from tools.soak.life import Life, SoakEnvironment

POOL = SimpleNamespace(id="pool", type="gcp:container/nodePool:NodePool", urn="urn:pulumi:a::atwork::T::pools-system")


class Canceled:
    """A life whose only environment was canceled before it had a node pool."""

    def __init__(self) -> None:
        self.chance, self.figures, self.ran = Random(1), {"changes behind": 0}, list[tuple[str, ...]]()
        self.engines = SimpleNamespace(atwork=self._run, pulumi=self._run)
        self.pools: list[Any] = []

    def _run(self, *words: str) -> tuple[str, ...]:
        return words

    def ended(self, words: tuple[str, ...]) -> None:
        self.ran.append(words)

    def objects(self, environment: SoakEnvironment) -> list[Any]:
        del environment
        return self.pools

    def up(self, environment: SoakEnvironment) -> None:
        del environment
        self.pools = [POOL]


def test_an_environment_that_was_canceled_before_it_had_a_pool_is_updated_before_it_drifts() -> None:
    life = Canceled()
    environment = cast("SoakEnvironment", SimpleNamespace(name="a", drifted=set[str]()))
    assert drift.drift(cast("Life", life), environment) == "pools-system had 50 nodes"
    assert life.ran[0][:3] == ("sandbox", "drift", "a")
