"""Progress messages in the display of the engine that calls a provider."""

from __future__ import annotations

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_SECONDS = 5


class EngineDisplay:
    """The display of the engine that attached last; messages are dropped when no engine listens."""

    def __init__(self) -> None:
        self._engine: engine_pb2_grpc.EngineStub | None = None

    def attach(self, address: str) -> None:
        """Use the engine at an address, HOST:PORT."""
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def show(self, urn: str, message: str) -> None:
        """Show a message on the line of a resource until the next one."""
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=message, urn=urn, ephemeral=True)
        try:
            self._engine.Log(request, timeout=_SECONDS)
        except grpc.RpcError:
            self._engine = None
