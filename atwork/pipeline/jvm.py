"""The Java program that plays pipelines (tools/pipeline): Maven gets its parts from Maven Central, once."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock
from rich.console import Console

from atwork.errors import SandboxError
from atwork.files import cache_folder
from atwork.toolchain import machine
from atwork.toolchain.gobuild import ROOT

_SOURCES = ROOT / "tools" / "pipeline"
_OPENED = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in ("lang", "util", "io", "net")]


def player(console: Console) -> list[str]:
    """The command that plays a pipeline; what it needs is fetched and compiled first if it is not in the cache."""
    sources = sorted(_SOURCES.rglob("*.groovy"))
    content = b"".join(path.read_bytes() for path in (_SOURCES / "pom.xml", *sources))
    folder = cache_folder() / "pipeline" / hashlib.sha256(content).hexdigest()[:16]
    if problems := machine.missing(["java"] if folder.exists() else ["java", "mvn"]):
        raise SandboxError("; ".join(problems))
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / ".lock"):
            if not folder.exists():
                console.print("Fetching the player of pipelines from Maven Central: once, half a minute.")
                with tempfile.TemporaryDirectory(prefix=".player-", dir=folder.parent) as scratch:
                    _prepare(sources, Path(scratch, "player"))
                    Path(scratch, "player").rename(folder)
    return ["java", "-XX:TieredStopAtLevel=1", "-Xmx512m", *_OPENED, "-cp", f"{folder}/classes:{folder}/*", "Player"]


def _prepare(sources: list[Path], folder: Path) -> None:
    fetch = ["mvn", "--quiet", "--batch-mode", "--file", str(_SOURCES / "pom.xml"), "dependency:copy-dependencies"]
    _run([*fetch, f"-DoutputDirectory={folder}"], "fetch the player of pipelines")
    compiler = ["java", "-cp", f"{folder}/*", "org.codehaus.groovy.tools.FileSystemCompiler"]
    (folder / "classes").mkdir()
    _run([*compiler, "-d", str(folder / "classes"), *map(str, sources)], "compile the player of pipelines")


def _run(command: list[str], doing: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SandboxError(f"cannot {doing}: {(done.stdout + done.stderr).strip()[-500:]}")
