"""The Python language host: a small gRPC service through which the engine runs a Python program.

The official engine brings its own. One that was built from source does not, so this one serves it, either inside
the process that starts the engine (`serve`, attached by PULUMI_DEBUG_LANGUAGES) or as the executable
`pulumi-language-python` that the engine looks for on PATH (`main`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from atwork.engine import installed, program

_PROGRAM = Path(__file__).with_name("program.py")


def _interpreter(info: language_pb2.ProgramInfo) -> str:
    """The interpreter of the project's `virtualenv` option, else the one that runs this host."""
    options: Mapping[str, Any] = MessageToDict(info.options)
    virtualenv = options.get("virtualenv")
    if not virtualenv:
        return sys.executable
    folder = Path(info.root_directory, str(virtualenv))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return str(python)


class Servicer(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs and policy packs for one engine."""

    def __init__(self, engine: str = "") -> None:
        self._engine = engine
        self._children: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> language_pb2.LanguageHandshakeResponse:
        """Take the engine's address, which an attached host is not started with."""
        del context
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK that programs run with."""
        del request, context
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The providers that the SDKs in the project's environment ask for."""
        plugins = _installed(_interpreter(request.info), context)["plugins"]
        packages = [
            plugin_pb2.PackageDependency(kind="resource", name=plugin["name"], version=plugin["version"])
            for plugin in plugins
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run the program to its end."""
        python = _interpreter(request.info)
        if not Path(python).exists():
            return language_pb2.RunResponse(error=_missing(python))
        settings = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "root_directory": request.info.root_directory,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "program": str(Path(request.info.program_directory, request.info.entry_point or ".")),
            "args": list(request.args),
        }
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            "PYTHONUNBUFFERED": "1",
        }
        # By its file and not as a module: the project's environment need not have atwork in it.
        command = [python, "-u", str(_PROGRAM), json.dumps(settings)]
        with self._started(command, context, cwd=request.pwd, env=environment) as child:
            output = _forward(child)
            code = child.wait()
        if code in (0, program.SHOWN_ALREADY):
            # Only an unexplained end hands the engine what was printed; otherwise it would be lost.
            sys.stderr.write(output)
            sys.stderr.flush()
            return language_pb2.RunResponse(bail=code != 0)
        return language_pb2.RunResponse(error=f"the program ended with code {code}\n{output}".strip())

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a plugin written in Python, such as a policy pack, and stream what it prints."""
        environment = {**os.environ, **dict(pair.split("=", 1) for pair in request.env)}
        python = _interpreter(request.info)
        if not Path(python).exists():
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, _missing(python))
        command = [python, "-u", request.info.program_directory, *request.args]
        with self._started(command, context, cwd=request.pwd, env=environment) as child:
            for stream, line in _lines(child):
                yield (
                    language_pb2.RunPluginResponse(stdout=line)
                    if stream == "stdout"
                    else language_pb2.RunPluginResponse(stderr=line)
                )
            yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What `pulumi about` prints of the language."""
        del context
        return language_pb2.AboutResponse(executable=_interpreter(request.info), version=sys.version.split()[0])

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The packages in the project's environment."""
        packages = _installed(_interpreter(request.info), context)["packages"]
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(**package) for package in packages]
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """End what runs: the engine was interrupted."""
        del request, context
        with self._lock:
            for child in self._children:
                child.terminate()
        return empty_pb2.Empty()

    def _started(
        self, command: list[str], context: grpc.ServicerContext, *, cwd: str, env: Mapping[str, str]
    ) -> _Child:
        child = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        with self._lock:
            self._children.add(child)
        context.add_callback(lambda: self._ended(child))
        return _Child(child)

    def _ended(self, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            child.terminate()
        with self._lock:
            self._children.discard(child)


@dataclass
class _Child:
    process: subprocess.Popen[bytes]

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.process

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def _forward(child: subprocess.Popen[bytes]) -> str:
    """Wait for the end of the output; what a program prints goes to our stderr, next to the engine's display."""
    errors: list[bytes] = []
    for stream, line in _lines(child):
        if stream == "stdout":
            sys.stderr.buffer.write(line)
        else:
            errors.append(line)
    sys.stderr.flush()
    return b"".join(errors).decode(errors="replace")


def _lines(child: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """Lines of both streams as they are printed, each with the stream's name, until both are closed."""
    lines: SimpleQueue[tuple[str, bytes]] = SimpleQueue()

    def read(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            lines.put((name, line))
        lines.put((name, b""))

    streams = {"stdout": child.stdout, "stderr": child.stderr}
    for name, stream in streams.items():
        assert stream is not None  # noqa: S101 (a pipe was asked for)
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    unfinished = len(streams)
    while unfinished:
        name, line = lines.get()
        if line:
            yield name, line
        else:
            unfinished -= 1


def _missing(python: str) -> str:
    return f"there is no {python}; make it with `make setup`, or correct runtime.options.virtualenv in Pulumi.yaml"


def _installed(python: str, context: grpc.ServicerContext) -> dict[str, list[dict[str, str]]]:
    """What the environment of an interpreter holds; an engine asks often, and ours is read without another process."""
    if python == sys.executable:
        return installed.read()
    try:
        # By its file: the project's environment need not have atwork in it.
        done = subprocess.run([python, str(installed.__file__)], capture_output=True, text=True, check=False)
    except OSError:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, _missing(python))
    if done.returncode:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{python} does not run: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


@dataclass(frozen=True)
class LanguageHost:
    """A served host; keep it as long as the engine runs."""

    server: grpc.Server
    port: int

    def stop(self) -> None:
        """End the service."""
        self.server.stop(grace=None).wait()


def serve(engine: str = "") -> LanguageHost:
    """Serve one engine on a free loopback port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.max_receive_message_length", 400 << 20)])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Servicer(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return LanguageHost(server, port)


def main() -> None:
    """What the engine starts: print the port, serve until the engine ends this process."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    host = serve(addresses[0] if addresses else "")
    print(host.port, flush=True)
    host.server.wait_for_termination()
