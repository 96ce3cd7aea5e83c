"""The commands of `atwork sandbox`; each returns the exit code."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.console import Console
from rich.prompt import Confirm

from atwork.engine.build import ensure
from atwork.engine.state import read_stacks
from atwork.errors import SandboxError
from atwork.sandbox import report
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters import external
from atwork.sandbox.clusters import status as cluster_status
from atwork.sandbox.clusters.choice import Choice, ClusterKind, NodeKind, choose, contexts_of
from atwork.sandbox.clusters.node.machine import check_node
from atwork.sandbox.clusters.running import fleet_of
from atwork.sandbox.home import Home, here
from atwork.sandbox.session import Session, opened
from atwork.sandbox.state_files import deployment, resources, stack_names
from atwork.sandbox.waves import run_in_waves, waves_of


def up(
    stacks: Sequence[str],
    *,
    clusters: ClusterKind | None = None,
    contexts: Sequence[str] = (),
    nodes: NodeKind | None = None,
) -> int:
    """Create or update environments, each after its upstream; the options choose their clusters and nodes."""
    home, console = here(), _console()
    with home.locked("atwork sandbox up"), _open(home, console, clusters, contexts, nodes) as session:
        selected = home.project.selected(stacks)
        for stack in selected:
            session.ensure_stack(stack)
            session.recover(stack)
        outcomes = run_in_waves(session, "up", waves_of(home.project, selected), console)
    return report.show(home, outcomes, console, addresses=True)


def preview(stacks: Sequence[str]) -> int:
    """Show what `up` would do, for all environments at once."""
    home, console = here(), _console()
    with home.locked("atwork sandbox preview"), _open(home, console) as session:
        chosen = home.project.selected(stacks)
        for stack in chosen:
            upstream = home.project.upstream(stack)
            if upstream is not None and not resources(home, upstream):
                raise SandboxError(
                    f"{stack} reads the outputs of {upstream}, which is not up; run `atwork sandbox up` first"
                )
            session.ensure_stack(stack)
        outcomes = run_in_waves(session, "preview", [chosen], console)
    return report.show(home, outcomes, console, addresses=False)


def down(stacks: Sequence[str]) -> int:
    """Destroy environments, each before its upstream."""
    home, console = here(), _console()
    with home.locked("atwork sandbox down"), _open(home, console) as session:
        selected = home.project.selected(stacks)
        for stack in selected:
            session.recover(stack)
        chosen = [stack for stack in selected if deployment(home, stack).get("resources")]
        _refuse_if_read(home, chosen)
        # Without this preview, the engine deletes unprotected resources before it reaches a protected one and fails.
        outcomes = run_in_waves(session, "preview-destroy", [chosen], console)
        if not any(outcome.failed for outcome in outcomes):
            outcomes = run_in_waves(session, "destroy", waves_of(home.project, chosen)[::-1], console)
        code = report.show(home, outcomes, console, addresses=False)
        left = {stack: len(resources(home, stack)) for stack in chosen if resources(home, stack)}
    if not left:
        console.print("Nothing is left.")
    else:
        console.print(f"Left: {', '.join(f'{stack} ({count} resources)' for stack, count in left.items())}.")
        console.print(
            "To lift the guards, as in the real cloud: set deletion_protection: false in the stack file, add an "
            "exemption from the policy deletion-guards, run `up`, then `down`. "
            "`atwork sandbox reset` deletes the entire simulation instead.",
            soft_wrap=True,
        )
    return code


def status() -> int:
    """Show what is up, from the states alone."""
    home, console = here(), _console()
    stacks = home.project.stack_names()
    for stack in stacks:
        count = len(resources(home, stack))
        console.print(f"{stack}: {count} resources" if count else f"{stack}: not up")
    console.print(report.addresses_of(home, stacks))
    fleet = fleet_of(home)
    if fleet is not None:
        for line in cluster_status.lines(fleet):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def kubeconfig(environment: str) -> int:
    """Print a kubeconfig for the real cluster of an environment."""
    home = here()
    fleet = fleet_of(home)
    cluster = fleet.of(environment) if fleet is not None else None
    if fleet is None or cluster is None:
        raise SandboxError(
            f"{environment} has no real cluster; `atwork sandbox up {environment} --clusters real` creates one"
        )
    fleet.start(cluster)
    print(fleet.kubeconfig(cluster))
    return 0


def stop() -> int:
    """Stop the programs of real clusters and keep their content."""
    home = here()
    fleet = fleet_of(home)
    if fleet is None:
        raise SandboxError("the clusters of the sandbox are simulated: they have no programs to stop")
    with home.locked("atwork sandbox stop"):
        fleet.stop()
    return 0


def env() -> int:
    """Print the variables with which plain `pulumi` uses the sandbox."""
    home = here()
    home.prepare()
    for key, value in home.environment().items():
        print(f"export {key}={shlex.quote(value)}")
    print(f'export PATH={shlex.quote(str(home.folder / "bin"))}:"$PATH"')
    return 0


def reset(*, yes: bool) -> int:
    """Delete the simulated cloud and all states."""
    home = here()
    with home.locked("atwork sandbox reset"):
        if not yes and not Confirm.ask(f"Delete {home.folder} with all simulated environments?", default=False):
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


def _open(
    home: Home,
    console: Console,
    clusters: ClusterKind | None = None,
    contexts: Sequence[str] = (),
    nodes: NodeKind | None = None,
) -> AbstractContextManager[Session]:
    """A session; a choice of clusters and nodes is checked and saved first."""
    if clusters is not None or contexts or nodes is not None:
        choice = choose(Choice.kept(home.folder), clusters, contexts_of(contexts), nodes)
        if choice.nodes == NodeKind.real:
            check_node()
        home.prepare()
        for context in choice.contexts.values():
            external.access(context)  # refuses unusable contexts before anything is created
            external.server(context)
        choice.keep(home.folder, empty=not any(each.urn for each in Cloud(home.cloud).objects()))
    return opened(home, ensure(console), console)


def _refuse_if_read(home: Home, stacks: Sequence[str]) -> None:
    """Raise `SandboxError` if other stacks that are up read one of `stacks`: they need its images and outputs."""
    staying = [reader for reader in stack_names(home) if reader not in stacks and resources(home, reader)]
    for stack in stacks:
        readers = [reader for reader in staying if stack in read_stacks(deployment(home, reader))]
        if readers:
            verb = "reads" if len(readers) == 1 else "read"
            raise SandboxError(
                f"{stack}: {' and '.join(readers)} {verb} it; destroy them first, or together: "
                f"`atwork sandbox down {' '.join([*readers, *stacks])}`"
            )


def _console() -> Console:
    """Standard output; in a pipe or a log wide enough for complete addresses."""
    console = Console()
    return console if console.is_terminal else Console(width=160)
