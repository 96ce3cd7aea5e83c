"""The command `atwork`. Each area has its commands in a file `cli.py` of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from atwork.access.cli import app as access
from atwork.access.source import AccessSource, register_source
from atwork.alerts.cli import app as alerts
from atwork.checkout import Checkout, find_checkout
from atwork.deploy.cli import app as deploy
from atwork.doctor.cli import app as doctor
from atwork.engine.choice import Sandbox, register_sandbox
from atwork.environments.cli import app as environment
from atwork.errors import UsageError, reported
from atwork.graph.cli import app as graph
from atwork.locks.cli import app as locks
from atwork.pipeline.cli import image as pipeline_image
from atwork.pipeline.cli import run as pipeline_run
from atwork.preview.cli import app as preview
from atwork.sandbox.cli import app as sandbox
from atwork.services.cli import app as service

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The platform: environments, services, previews.")


@app.command()
def engine() -> None:
    """Find the Pulumi engine, or build it into the shared cache."""
    from atwork.engine.command import run

    run()


@app.command()
def tools() -> None:
    """Find or build the programs of tests and real clusters: helm, crane, promtool, a control plane, BuildKit, …"""
    from rich.console import Console

    from atwork.containers.errors import obstacles
    from atwork.toolchain import programs

    console = Console(soft_wrap=True, highlight=False)
    binaries = [
        programs.helm(console),
        *programs.registry(console),
        programs.actionlint(console),
        programs.promtool(console),
    ]
    if missing := obstacles():
        console.print(f"BuildKit and containerd are not needed: no container runs here ({'; '.join(missing)})")
    else:
        kubelet, containerd = programs.node(console)
        binaries += [programs.buildkit(console) / "buildkitd", containerd / "containerd", kubelet / "kubelet"]
        binaries.append(programs.rootlesskit(console))
    for binary in (*binaries, *programs.control_plane(console).values()):
        console.print(f"{binary.name}: {binary}")


@app.command()
def schema(*, write: Annotated[bool, typer.Option(help="Rewrite the files and docs/reference.")] = False) -> None:
    """Print the JSON Schemas of stack files, services and reports."""
    from atwork.report.schema import main as report_main
    from infra.schema import main as schema_main

    schema_main(write=write)
    report_main(write=write)


@app.command()
def bench() -> None:
    """Measure the sandbox and print where the time goes."""
    from atwork.bench.report import run

    raise typer.Exit(run())


app.add_typer(preview)
app.add_typer(deploy)
app.add_typer(graph)
app.add_typer(doctor)
app.add_typer(locks)
app.add_typer(sandbox, name="sandbox")
app.add_typer(access, name="access")
service.command("run")(pipeline_run)
service.command("image")(pipeline_image)
app.add_typer(alerts, name="alerts")
app.add_typer(service, name="service")
app.add_typer(environment, name="environment")


def _sandbox(checkout: Checkout) -> Sandbox:
    """The sandbox of a checkout; its modules are slow to import."""
    from atwork.sandbox.local import LocalSandbox

    return LocalSandbox(checkout)


def _access(checkout: Checkout) -> AccessSource:
    """The access model of a checkout's sandbox; its modules are slow to import."""
    from atwork.sandbox.access_model import SandboxAccess

    return SandboxAccess(checkout)


register_sandbox(_sandbox)
register_source(_access)


def _with_lines(message: str) -> str:
    """A message with the lines of the keys that it names, in a checkout."""
    from infra.yaml_lines import with_lines

    try:
        return with_lines(message, find_checkout().root)
    except UsageError:
        return message


def main() -> None:
    """Run the command; an error that the user can fix is printed without a traceback, with exit code 1."""
    with reported(_with_lines):
        app()
