"""Destroys the stacks of environments: those of its groups of services first, several at a time, then its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from atwork.checkout import Checkout
from atwork.engine.backend import Backend
from atwork.engine.signals import Signals
from atwork.environments import ending
from atwork.environments.destroy_journal import DestroyJournal
from atwork.environments.ending import StepWatch
from atwork.environments.owner_warnings import notify
from atwork.errors import BackendError, SandboxError
from infra.stack_name import StackName

_PARALLEL = 4
"""Stacks of groups at the same time: each has an engine in memory."""


def deployed_groups(backend: Backend, environment: str) -> list[str]:
    """The stacks of an environment's groups in the backend, with or without a file."""
    names = (StackName.parse(name) for name in backend.stacks())
    return sorted(str(name) for name in names if name.environment == environment and name.group is not None)


def destroy_environment(
    backend: Backend, checkout: Checkout, name: str, owner: str, console: Console, *, groups: Sequence[str] = ()
) -> bool:
    """Destroy an environment's groups and then the environment, which stays if a group does.

    An error is printed, and sent to the owner in Slack. Repeated after an interruption, it continues.
    """
    for stack in (*groups, name):
        backend.recover(stack)
        step = DestroyJournal.of(checkout.root, stack).last()
        if step:
            console.print(f"{stack}: an earlier run broke off in the step {step}; going on")
    signals = Signals()
    with console.status(name) as status, signals.handled():

        def destroy(stack: str) -> str:
            signals.raise_if_received()  # those that wait for their turn do not begin
            return _destroy(backend, checkout, stack, status.update, signals, console)

        with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
            errors = [
                f"{group}: {error}" for group, error in zip(groups, pool.map(destroy, groups), strict=True) if error
            ]
        if errors:
            console.print(f"{name}: stays, because stacks of its groups are left")
        error = "; ".join(errors) or destroy(name)
    if error:
        notify(f"{name} ({owner}) could not be ended: {error}", console)
    return not error


def _destroy(
    backend: Backend, checkout: Checkout, stack: str, watch: StepWatch, signals: Signals, console: Console
) -> str:
    """Destroy a stack; returns the last line of an error, which is printed, or ""."""
    journal = DestroyJournal.of(checkout.root, stack)
    try:
        ending.end(backend, stack, journal, lambda name: watch(f"{stack}: {name}"), signals)
    except (BackendError, SandboxError) as error:
        lines = str(error).splitlines()
        for line in lines:
            console.print(f"{stack}: {line}", markup=False)
        return lines[-1]
    journal.close()
    console.print(f"{stack}: gone, nothing is left of it")
    return ""
