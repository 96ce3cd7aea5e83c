"""The commands of `atwork sandbox`; each returns the exit code."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.prompt import Confirm

from atwork.engine.build import ensure
from atwork.engine.outcome import Outcome
from atwork.engine.signals import Signals
from atwork.engine.stack import Options, Stack
from atwork.engine.state import read_stacks
from atwork.errors import ConfigError, SandboxError
from atwork.sandbox import report
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters import elsewhere
from atwork.sandbox.clusters.choice import Choice, Kind, contexts_of
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home, here
from atwork.sandbox.session import Session, opened
from atwork.sandbox.state_files import deployment, resources, stack_names

_PARALLEL = 2

Verb = Literal["preview", "up", "preview-destroy", "destroy"]

_OPERATIONS: dict[Verb, Callable[[Stack, Options], Outcome]] = {
    "preview": lambda stack, options: stack.preview(**options),
    "up": lambda stack, options: stack.up(**options),
    "preview-destroy": lambda stack, options: stack.destroy(preview_only=True, **options),
    "destroy": lambda stack, options: stack.destroy(**options),
}


def up(stacks: Sequence[str], *, clusters: Kind | None = None, contexts: Sequence[str] = ()) -> int:
    """Bring environments up, each after the one that it reads; `clusters` is what answers for Kubernetes in them."""
    home, console = here(), _console()
    with home.locked("atwork sandbox up"), _open(home, console, clusters, contexts) as session:
        chosen = home.project.selected(stacks)
        for stack in chosen:
            session.ensure_stack(stack)
            session.recover(stack)
        outcomes = _in_waves(session, "up", waves_of(home, chosen), console)
    return _tell(home, outcomes, console, addresses=True)


def _open(
    home: Home, console: Console, clusters: Kind | None = None, contexts: Sequence[str] = ()
) -> AbstractContextManager[Session]:
    """A session; what answers for Kubernetes is kept first, where that is said."""
    if clusters is not None or contexts:
        home.prepare()
        choice = Choice(clusters or Kind.real, contexts_of(contexts))
        for context in choice.contexts.values():
            elsewhere.access(context)  # what cannot be used is told before anything is made
            elsewhere.server(context)
        choice.keep(home.folder, empty=not any(one.urn for one in Cloud(home.cloud).objects()))
    return opened(home, ensure(console), console)


def kubeconfig(environment: str) -> int:
    """Print a kubeconfig for one environment's real cluster."""
    home = here()
    fleet = fleet_of(home)
    cluster = fleet.of(environment) if fleet is not None else None
    if fleet is None or cluster is None:
        raise SandboxError(
            f"{environment} has no real cluster; `atwork sandbox up {environment} --clusters real` brings one up"
        )
    fleet.start(cluster)
    print(fleet.kubeconfig(cluster))
    return 0


def stop() -> int:
    """End the programs of real clusters, and keep what is in these."""
    home = here()
    fleet = fleet_of(home)
    if fleet is None:
        raise SandboxError("the sandbox's clusters are simulated: no program of theirs runs")
    with home.locked("atwork sandbox stop"):
        fleet.stop()
    return 0


def preview(stacks: Sequence[str]) -> int:
    """Show what `up` would do, all environments at once."""
    home, console = here(), _console()
    with home.locked("atwork sandbox preview"), _open(home, console) as session:
        chosen = home.project.selected(stacks)
        for stack in chosen:
            reads = home.project.upstream(stack)
            if reads is not None and not resources(home, reads):
                raise SandboxError(
                    f"{stack} reads the outputs of {reads}, which is not up; run `atwork sandbox up` first"
                )
            session.ensure_stack(stack)
        outcomes = _in_waves(session, "preview", [chosen], console)
    return _tell(home, outcomes, console, addresses=False)


def down(stacks: Sequence[str]) -> int:
    """Destroy environments, each before the one that it reads."""
    home, console = here(), _console()
    with home.locked("atwork sandbox down"), _open(home, console) as session:
        named = home.project.selected(stacks)
        for stack in named:
            session.recover(stack)
        chosen = [stack for stack in named if deployment(home, stack).get("resources")]
        _refuse_read(home, chosen)
        # The engine deletes what is unprotected before it meets a protected resource, unless a preview is asked first.
        outcomes = _in_waves(session, "preview-destroy", [chosen], console)
        if not any(outcome.failed for outcome in outcomes):
            outcomes = _in_waves(session, "destroy", waves_of(home, chosen)[::-1], console)
        code = _tell(home, outcomes, console, addresses=False)
        left = {stack: len(resources(home, stack)) for stack in chosen if resources(home, stack)}
    if not left:
        console.print("Nothing is left.")
    else:
        console.print(f"Left: {', '.join(f'{stack} ({count} resources)' for stack, count in left.items())}.")
        console.print(
            "Guards are lifted as in the real cloud: deletion_protection: false in the stack file, an exemption from "
            "the policy deletion-guards, `up`, then `down`. "
            "`atwork sandbox reset` throws the whole simulation away instead.",
            soft_wrap=True,
        )
    return code


def _refuse_read(home: Home, stacks: Sequence[str]) -> None:
    """Raise `SandboxError` where stacks that stay up read one of `stacks`: its images and outputs would be gone."""
    staying = [reader for reader in stack_names(home) if reader not in stacks and resources(home, reader)]
    for stack in stacks:
        readers = [reader for reader in staying if stack in read_stacks(deployment(home, reader))]
        if readers:
            verb = "reads" if len(readers) == 1 else "read"
            raise SandboxError(
                f"{stack}: {' and '.join(readers)} {verb} it; destroy them first, or together: "
                f"`atwork sandbox down {' '.join([*readers, *stacks])}`"
            )


def status() -> int:
    """What is up, from the state alone."""
    home, console = here(), _console()
    found = home.project.stack_names()
    for stack in found:
        count = len(resources(home, stack))
        console.print(f"{stack}: {count} resources" if count else f"{stack}: not up")
    console.print(report.addresses(home, found))
    fleet = fleet_of(home)
    for cluster in fleet.clusters() if fleet is not None else ():
        runs = "runs" if fleet is not None and fleet.running(cluster) else "stopped; the next command starts it"
        console.print(f"{cluster.environment}: API server {cluster.server}: {runs}")
    return 0


def env() -> int:
    """Print what a shell needs so that plain `pulumi` works in the sandbox."""
    home = here()
    home.prepare()
    for key, value in home.environment().items():
        print(f"export {key}={shlex.quote(value)}")
    print(f'export PATH={shlex.quote(str(home.folder / "bin"))}:"$PATH"')
    return 0


def reset(*, yes: bool) -> int:
    """Throw the simulated cloud and its state away."""
    home = here()
    with home.locked("atwork sandbox reset"):
        if not yes and not Confirm.ask(f"Throw {home.folder} away, with every simulated environment?", default=False):
            return 1
        fleet = fleet_of(home)
        if fleet is not None:
            fleet.stop()
        for child in home.folder.iterdir():
            if child.is_dir() and not child.is_symlink():
                shutil.rmtree(child)
            elif child.name != "lock":
                child.unlink()
    return 0


def _console() -> Console:
    """Standard output; in a pipe or a log wide enough for whole addresses."""
    console = Console()
    return console if console.is_terminal else Console(width=160)


def waves_of(home: Home, stacks: Sequence[str]) -> list[list[str]]:
    """Stacks in an order in which each comes after the one that it reads; those of one wave are independent."""
    waves: list[list[str]] = []
    rest = list(stacks)
    while rest:
        ready = [stack for stack in rest if home.project.upstream(stack) not in rest]
        if not ready:
            raise ConfigError(f"stacks/Pulumi.{rest[0]}.yaml: atwork:stack.upstream leads in a circle; break it")
        waves.append(ready)
        rest = [stack for stack in rest if stack not in ready]
    return waves


def _in_waves(session: Session, verb: Verb, waves: Sequence[Sequence[str]], console: Console) -> list[Outcome]:
    """Run an operation on the stacks of each wave; a wave with a failure is the last."""
    outcomes: list[Outcome] = []
    signals = Signals()
    with signals.handled(), _watcher(console) as watch, ThreadPoolExecutor(max_workers=_PARALLEL) as pool:

        def operate(stack: str) -> Outcome:
            return _OPERATIONS[verb](session.stack(stack), Options(on_resource=watch, signals=signals))

        for wave in waves:
            ended = list(pool.map(operate, wave))
            outcomes += ended
            if any(outcome.failed for outcome in ended) or signals.count:
                break
    return outcomes


@contextmanager
def _watcher(console: Console) -> Generator[Callable[[Outcome, str], None]]:
    """A line for each stack that shows where it is; without a terminal, nothing until the table."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, int] = {}

        def watch(outcome: Outcome, name: str) -> None:
            if outcome.stack not in tasks:
                tasks[outcome.stack] = progress.add_task(outcome.stack, total=None)
            description = f"{outcome.stack:<12} {sum(outcome.steps.values()):>4}  {name}"
            task = next(task.id for task in progress.tasks if task.id == tasks[outcome.stack])
            progress.update(task, description=description)

        yield watch


def _tell(home: Home, outcomes: Sequence[Outcome], console: Console, *, addresses: bool) -> int:
    if outcomes:
        console.print(report.table(outcomes))
    for outcome in outcomes:
        for advice in dict.fromkeys(outcome.advice):
            console.print(f"[yellow]{outcome.stack}[/yellow]: ", end="")
            console.print(f"advice: {advice}", markup=False, highlight=False, soft_wrap=True)
        for error in outcome.errors:
            console.print(f"[red]{outcome.stack}[/red]: ", end="")
            console.print(error, markup=False, highlight=False, soft_wrap=True)
    if any(outcome.failed for outcome in outcomes):
        return 1
    if addresses:
        console.print()
        console.print(report.addresses(home, [outcome.stack for outcome in outcomes]))
    return 0
