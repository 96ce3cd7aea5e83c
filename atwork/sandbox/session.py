"""A session of the sandbox: this process serves the providers and the language host to the engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from atwork.engine.backend import Backend
from atwork.engine.locate import Engine
from atwork.engine.runner import EngineFailed
from atwork.errors import SandboxError
from atwork.sandbox import bootstrap_secrets, existing_networks, recovery, simulation, state_files, workspace
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.running import real_clusters
from atwork.sandbox.home import Home
from atwork.sandbox.simulation import Simulation


@dataclass(frozen=True, kw_only=True)
class Session(Backend):
    """The backend of a prepared sandbox, whose providers this process serves."""

    home: Home
    engine: Engine
    providers: Simulation
    console: Console
    """Where recovery reports what it did."""
    fleet: Fleet | None = None
    """The real clusters; None if they are simulated."""

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        """Environment variables of an engine process; a language host runs for it if the engine has none."""
        providers = ",".join(f"{package}:{port}" for package, port in self.providers.ports.items())
        variables = {**os.environ, **self.home.environment(), "PULUMI_DEBUG_PROVIDERS": providers}
        if self.engine.has_language_host:
            yield variables
            return
        from atwork.engine.language_host import serve as serve_language

        host = serve_language()
        try:
            # Policy packs always look for the host on PATH.
            scripts = str(Path(sys.executable).parent)
            path = os.pathsep.join([scripts, variables.get("PATH", "")])
            yield {**variables, "PATH": path, "PULUMI_DEBUG_LANGUAGES": f"python:{host.port}"}
        finally:
            host.stop()

    def deployment(self, stack: str) -> Mapping[str, Any] | None:
        """The state of a stack as it is on disk."""
        exists = state_files.state_file(self.home, stack).exists()
        return state_files.deployment(self.home, stack) if exists else None

    def upstream(self, stack: str) -> str | None:
        """The upstream in the stack file."""
        return self.home.project.upstream(stack)

    def recover(self, stack: str) -> None:
        """Recover from a killed run."""
        recovery.recover(self.home, self.stack(stack), self.fleet, self.console)

    def ensure_stack(self, stack: str) -> None:
        """Create the stack in the state if it is not there yet."""
        if not state_files.state_file(self.home, stack).exists():
            try:
                self.stack(stack).create()
            except EngineFailed as error:
                raise SandboxError(f"cannot create the stack {stack}: {error.output}") from None


@contextmanager
def opened(
    home: Home, engine: Engine, console: Console | None = None, *, bootstrapped: bool = True
) -> Generator[Session]:
    """Prepare the sandbox and serve its providers until the end; `bootstrapped` creates what bootstrap creates."""
    home.prepare()
    state_files.remove_unreadable(home)
    workspace.write(home)
    with real_clusters(home, console) as fleet:
        if bootstrapped:
            bootstrap_secrets.create_all(home)
            existing_networks.create_all(home)
        providers = simulation.start(home.cloud, fleet)
        try:
            yield Session(
                url=f"file://{home.state}",
                program=engine.path,
                project=home.workspace,
                events_folder=home.folder,  # the next recovery removes what a killed run left there
                shared=False,
                home=home,
                engine=engine,
                providers=providers,
                console=console or Console(stderr=True),
                fleet=fleet,
            )
        finally:
            providers.stop()
