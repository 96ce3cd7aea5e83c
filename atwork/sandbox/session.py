"""One use of the engine in the sandbox: providers and language host served here, the engine started beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from atwork.engine.locate import Engine
from atwork.errors import SandboxError
from atwork.sandbox import backend, prerequisites, simulation, workspace
from atwork.sandbox.backend import state_file
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.clusters.running import real_clusters
from atwork.sandbox.home import Home
from atwork.sandbox.simulation import Simulation


@dataclass(frozen=True)
class Session:
    """A prepared sandbox; commands of the engine run in it."""

    home: Home
    engine: Engine
    providers: Simulation
    fleet: Fleet | None = None
    """Its real clusters, where they are real."""

    @contextmanager
    def environment(self) -> Generator[dict[str, str]]:
        """Variables of one engine process, with a language host of its own where it brings none."""
        providers = ",".join(f"{package}:{port}" for package, port in self.providers.ports.items())
        made = {**os.environ, **self.home.environment(), "PULUMI_DEBUG_PROVIDERS": providers}
        if self.engine.has_language_host:
            yield made
            return
        from atwork.engine.language_host import serve as serve_language

        host = serve_language()
        try:
            # Policy packs look for the host on PATH, whatever is attached.
            scripts = str(Path(sys.executable).parent)
            path = os.pathsep.join([scripts, made.get("PATH", "")])
            yield {**made, "PATH": path, "PULUMI_DEBUG_LANGUAGES": f"python:{host.port}"}
        finally:
            host.stop()

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run the engine to its end and keep what it prints."""
        with self.environment() as environment:
            return subprocess.run(
                [str(self.engine.path), *arguments, "--non-interactive"],
                cwd=self.home.workspace,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )

    def ensure_stack(self, stack: str) -> None:
        """Make the stack in the state where it is not there yet."""
        if not state_file(self.home, stack).exists():
            done = self.run(["stack", "init", stack, "--no-select"])
            if done.returncode:
                raise SandboxError(f"cannot make the stack {stack}: {done.stderr.strip()}")


def kept_stacks(home: Home) -> list[str]:
    """Every stack that has a state, with or without a stack file."""
    return sorted(path.stem for path in state_file(home, "any").parent.glob("*.json"))


def deployment(home: Home, stack: str) -> dict[str, object]:
    """The state of a stack as it is on disk; empty where there is none yet."""
    path = state_file(home, stack)
    try:
        checkpoint = json.loads(path.read_text())["checkpoint"]
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        shown = path.relative_to(home.checkout)
        raise SandboxError(f"{shown}: damaged ({error}); `atwork sandbox reset` starts the sandbox anew") from None
    return checkpoint.get("latest") or {}


@contextmanager
def opened(
    home: Home, engine: Engine, console: Console | None = None, *, bootstrapped: bool = True
) -> Generator[Session]:
    """Prepare the sandbox and serve its providers until the end; `bootstrapped` makes what stands before a stack."""
    home.prepare()
    backend.remove_unreadable(home)
    workspace.write(home)
    with real_clusters(home, console) as fleet:
        if bootstrapped:
            prerequisites.play(home)
        providers = simulation.start(home.cloud, fleet)
        try:
            yield Session(home, engine, providers, fleet)
        finally:
            providers.stop()
