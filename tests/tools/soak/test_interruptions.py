"""Kills and cancels of an update that turns out to have no change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.soak import interruptions
from tools.soak.life import Disagreement, Life, SoakEnvironment


class Update:
    """An `atwork sandbox up` whose calls hang, or that has nothing to do."""

    def __init__(self, life: Interrupted, *, hangs: bool) -> None:
        self._life, self._hangs = life, hangs
        self.process = SimpleNamespace(terminate=lambda: None)

    def until(self, condition: Callable[[], bool]) -> bool:
        """Run until a fault is hit; false if the command ends first."""
        if self._hangs:
            self._life.hit = True
        return condition()

    def tree(self) -> list[Any]:
        """No process runs."""
        return []

    def ended(self) -> SimpleNamespace:
        """The end of the command."""
        return SimpleNamespace(code=int(self._hangs), printed="")


class Interrupted:
    """A life whose updates hang, except the first ones."""

    def __init__(self, *, without_change: int) -> None:
        self.figures, self.hit, self.started = Counter[str](), False, list[Update]()
        self._without_change = without_change
        self.engines = SimpleNamespace(atwork=self._atwork)
        self.faults = SimpleNamespace(
            add=lambda _: None, clear=lambda: None, all=lambda: [SimpleNamespace(hits=int(self.hit))]
        )
        self.recoveries = 0

    def _atwork(self, *words: str) -> Update:
        assert words == ("sandbox", "up", "alpha")
        self.started.append(Update(self, hangs=len(self.started) >= self._without_change))
        return self.started[-1]

    def change(self, environment: SoakEnvironment, *, grow: bool) -> str:
        """A change of the stack file."""
        del environment, grow
        return f"change {len(self.started) + 1}"

    def ended(self, started: Update, *, code: int | None = 0) -> SimpleNamespace:
        """The end of a command, which must end as expected."""
        done = started.ended()
        assert code is None or bool(code) == bool(done.code)
        return done

    def recovered(self, environment: SoakEnvironment, done: SimpleNamespace) -> None:
        """A finished update recovered the environment."""
        assert done.code == 0
        environment.interrupted = False
        self.recoveries += 1


def interrupt(life: Interrupted) -> str:
    environment = cast("SoakEnvironment", SimpleNamespace(name="alpha", interrupted=True, up=False, drifted=set[str]()))
    return interruptions._killed_in_a_call(cast("Life", life), environment, lambda _: None)  # pyright: ignore[reportPrivateUsage]


def test_a_change_that_reverts_an_interrupted_change_is_followed_by_another() -> None:
    life = Interrupted(without_change=1)
    assert interrupt(life) == "change 1, change 2: killed in a call"
    assert (life.recoveries, life.figures["kills"], life.figures["faults hit"]) == (1, 1, 1)


def test_a_change_that_hangs_is_the_only_one() -> None:
    life = Interrupted(without_change=0)
    assert interrupt(life) == "change 1: killed in a call"
    assert life.recoveries == 0


def test_a_second_change_that_does_nothing_is_a_finding() -> None:
    with pytest.raises(Disagreement, match="no call hung"):
        interrupt(Interrupted(without_change=2))
