"""The Python language host: a small gRPC service through which the engine runs a Python program.

The official engine includes a language host. An engine that was built from source does not, so it uses this one, either
inside the process that starts the engine (`serve`, attached by PULUMI_DEBUG_LANGUAGES) or as the executable
`pulumi-language-python` that the engine looks for on PATH (`main`).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from atwork.engine import program
from atwork.engine.child_processes import ChildProcesses, forward, lines
from atwork.engine.interpreter import interpreter_of, missing, packages_of
from components import descriptions

_PROGRAM = Path(__file__).with_name("program.py")


class LanguageServicer(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs and policy packs for one engine."""

    def __init__(self, engine: str = "") -> None:
        self._engine = engine
        self._children = ChildProcesses()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> language_pb2.LanguageHandshakeResponse:
        """Store the engine's address: an attached host does not get it as an argument."""
        del context
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK that programs run with."""
        del request, context
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The providers that the SDKs in the project's environment need."""
        plugins = packages_of(interpreter_of(request.info), context)["plugins"]
        packages = [
            plugin_pb2.PackageDependency(kind="resource", name=plugin["name"], version=plugin["version"])
            for plugin in plugins
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run the program to its end."""
        python = interpreter_of(request.info)
        if not Path(python).exists():
            return language_pb2.RunResponse(error=missing(python))
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
            descriptions.VARIABLE: "no",
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            "PYTHONUNBUFFERED": "1",
        }
        # By its file and not as a module: the project's environment need not have atwork in it.
        script = [str(_PROGRAM), json.dumps(settings)]
        with self._children.started(python, script, context, cwd=request.pwd, env=environment) as child:
            output = forward(child)
            code = child.wait()
        if code in (0, program.SHOWN_ALREADY):
            # The engine prints only the error of an unexplained end, so print the output of any other here.
            sys.stderr.write(output)
            sys.stderr.flush()
            return language_pb2.RunResponse(bail=code != 0)
        return language_pb2.RunResponse(error=f"the program ended with code {code}\n{output}".strip())

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a plugin written in Python, such as a policy pack, and stream its output."""
        environment = {**os.environ, descriptions.VARIABLE: "no", **dict(pair.split("=", 1) for pair in request.env)}
        python = interpreter_of(request.info)
        if not Path(python).exists():
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, missing(python))
        script = [request.info.program_directory, *request.args]
        with self._children.started(python, script, context, cwd=request.pwd, env=environment) as child:
            for stream, line in lines(child):
                yield (
                    language_pb2.RunPluginResponse(stdout=line)
                    if stream == "stdout"
                    else language_pb2.RunPluginResponse(stderr=line)
                )
            yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What `pulumi about` prints about the language."""
        del context
        return language_pb2.AboutResponse(executable=interpreter_of(request.info), version=sys.version.split()[0])

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The packages in the project's environment."""
        packages = packages_of(interpreter_of(request.info), context)["packages"]
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(**package) for package in packages]
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Terminate the running processes: the engine was interrupted."""
        del request, context
        self._children.terminate()
        return empty_pb2.Empty()


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
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServicer(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return LanguageHost(server, port)


def main() -> None:
    """The executable that the engine starts: print the port, serve until the engine ends this process."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    host = serve(addresses[0] if addresses else "")
    print(host.port, flush=True)
    host.server.wait_for_termination()
