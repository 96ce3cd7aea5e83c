"""Run an operation of the engine on several stacks: independent stacks at the same time, others in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from atwork.checkout import Checkout
from atwork.engine.outcome import Outcome
from atwork.engine.signals import Signals
from atwork.engine.stack import Options, Stack
from atwork.errors import ConfigError
from atwork.sandbox.session import Session

_PARALLEL = 2

WaveOperation = Literal["preview", "up", "preview-destroy", "destroy"]

_OPERATIONS: dict[WaveOperation, Callable[[Stack, Options], Outcome]] = {
    "preview": lambda stack, options: stack.preview(**options),
    "up": lambda stack, options: stack.up(**options),
    "preview-destroy": lambda stack, options: stack.destroy(preview_only=True, **options),
    "destroy": lambda stack, options: stack.destroy(**options),
}


def waves_of(project: Checkout, stacks: Sequence[str]) -> list[list[str]]:
    """Waves of independent stacks; each stack is in a later wave than its upstream."""
    waves: list[list[str]] = []
    rest = list(stacks)
    while rest:
        ready = [stack for stack in rest if project.upstream(stack) not in rest]
        if not ready:
            raise ConfigError(
                f"stacks/Pulumi.{rest[0]}.yaml: atwork:stack.upstream: the stacks depend on each other in a cycle; "
                "remove an upstream"
            )
        waves.append(ready)
        rest = [stack for stack in rest if stack not in ready]
    return waves


def run_in_waves(
    session: Session, operation: WaveOperation, waves: Sequence[Sequence[str]], console: Console
) -> list[Outcome]:
    """Run an operation on the stacks of each wave; a failure or a signal ends it after the current wave."""
    outcomes: list[Outcome] = []
    signals = Signals()
    with signals.handled(), _progress(console) as show, ThreadPoolExecutor(max_workers=_PARALLEL) as pool:

        def operate(stack: str) -> Outcome:
            return _OPERATIONS[operation](session.stack(stack), Options(on_resource=show, signals=signals))

        for wave in waves:
            wave_outcomes = list(pool.map(operate, wave))
            outcomes += wave_outcomes
            if any(outcome.failed for outcome in wave_outcomes) or signals.count:
                break
    return outcomes


@contextmanager
def _progress(console: Console) -> Generator[Callable[[Outcome, str], None]]:
    """Show a line with the current resource of each stack; without a terminal, show nothing."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def show(outcome: Outcome, name: str) -> None:
            if outcome.stack not in tasks:
                tasks[outcome.stack] = progress.add_task(outcome.stack, total=None)
            description = f"{outcome.stack:<12} {sum(outcome.steps.values()):>4}  {name}"
            progress.update(tasks[outcome.stack], description=description)

        yield show
