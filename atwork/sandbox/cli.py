"""`atwork sandbox`."""

from __future__ import annotations

from typing import Annotated

import typer

from atwork.arguments import Stacks
from atwork.engine.choice import prepare_programs
from atwork.sandbox.clusters.choice import ClusterKind, NodeKind
from atwork.sandbox.faults.cli import app as fault

app = typer.Typer(no_args_is_help=True)
app.add_typer(fault, name="fault")


@app.callback()
def sandbox() -> None:
    """Run the platform on this machine, without a cloud account."""
    from atwork.sandbox.installed import require_extra

    require_extra()


@app.command(name="up")
def sandbox_up(
    stacks: Stacks = None,
    *,
    clusters: Annotated[
        ClusterKind | None,
        typer.Option(help="Simulated clusters or real API servers; fixed until the sandbox is empty."),
    ] = None,
    nodes: Annotated[
        NodeKind | None,
        typer.Option(help="Simulated nodes, or one in each real cluster that runs the pods of services (Linux, root)."),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(help="ENVIRONMENT=CONTEXT: your own cluster (kind, minikube), by its kubeconfig context."),
    ] = None,
) -> None:
    """Create or update environments."""
    prepare_programs()
    from atwork.sandbox import commands

    raise typer.Exit(commands.up(stacks or [], clusters=clusters, contexts=context or [], nodes=nodes))


@app.command()
def preview(stacks: Stacks = None) -> None:
    """Show what `up` would change."""
    prepare_programs()
    from atwork.sandbox import commands

    raise typer.Exit(commands.preview(stacks or []))


@app.command()
def down(stacks: Stacks = None) -> None:
    """Destroy environments."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.down(stacks or []))


@app.command()
def drift(
    stack: Annotated[str, typer.Argument(help="Environment.")],
    name: Annotated[str, typer.Argument(help="Name of the resource in the program.")],
    key: Annotated[str, typer.Argument(help="Property, such as autoscaling.totalMaxNodeCount.")] = "",
    value: Annotated[str, typer.Argument(help="New value, in YAML.")] = "",
    *,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the object instead.")] = False,
) -> None:
    """Change or delete an object of the simulated clouds without Pulumi."""
    from atwork.sandbox.faults import drift as faults

    raise typer.Exit(faults.run(stack, name, key, value, delete=delete))


@app.command()
def verify(
    stacks: Stacks = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for open prerequisites, too.")] = False,
) -> None:
    """Check that every pod of the platform could start and work on GKE; exit with code 1 on findings."""
    from atwork.sandbox.verify import commands

    raise typer.Exit(commands.run(stacks or [], as_json=json, strict=strict))


@app.command()
def status() -> None:
    """Show what is up."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.status())


@app.command()
def kubeconfig(environment: Annotated[str, typer.Argument(help="Environment with a real cluster.")]) -> None:
    """Print a kubeconfig for kubectl: `atwork sandbox kubeconfig staging > kubeconfig`."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.kubeconfig(environment))


@app.command(name="open")
def open_service(
    service: Annotated[str, typer.Argument(help="Name of a service that runs on a real node.")],
    *,
    environment: Annotated[str, typer.Option(help="Environment; else the first one where it is ready.")] = "",
    namespace: Annotated[str, typer.Option(help="Namespace, such as preview-1; else that of the service.")] = "",
) -> None:
    """Print an address of this machine where a service answers, until Ctrl-C."""
    from atwork.sandbox.open_service import run

    raise typer.Exit(run(service, environment, namespace))


@app.command()
def images(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="NAME:TAG of official images; else the template's base image and the stores of tests."),
    ] = None,
    *,
    host: Annotated[str, typer.Option(help="Docker Hub, or a registry that mirrors it.")] = "docker.io",
) -> None:
    """Fetch the base images and data stores of builds; images made from Debian packages stand in for them else."""
    from atwork.sandbox.images import run

    raise typer.Exit(run(names or [], host))


@app.command()
def stop() -> None:
    """Stop the programs of real clusters; the next command that needs them starts them again."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.stop())


@app.command()
def env() -> None:
    """Print exports for a shell: `eval "$(atwork sandbox env)"`, then use `pulumi` as usual."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.env())


@app.command()
def reset(*, yes: Annotated[bool, typer.Option(help="Do not ask.")] = False) -> None:
    """Delete the simulated cloud and all states."""
    from atwork.sandbox import commands

    raise typer.Exit(commands.reset(yes=yes))
