"""The configuration of a provider: checked, compared, and kept for each connection of an engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from atwork.sandbox.provider import schema
from atwork.sandbox.provider.check import Checker
from atwork.sandbox.provider.diff import changes
from atwork.sandbox.provider.errors import plain_errors
from atwork.sandbox.provider.package import Package
from atwork.sandbox.provider.responses import check_failures, diff_response
from atwork.sandbox.provider.values import UNKNOWN, Json, from_struct, reveal

_ENGINE_KEYS = ("version", "pluginDownloadURL")
_TEXT_KEYS = ("kubeconfig", "credentials")
"""Properties whose text is JSON and stays text."""


class ConfiguredServicer(provider_pb2_grpc.ResourceProviderServicer):
    """The calls about the provider itself. Each connection of an engine has its own configuration."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._configs: dict[str, dict[str, Json]] = {}

    def config(self, context: grpc.ServicerContext) -> Mapping[str, Json]:
        """The configuration of the connection that makes a call."""
        return self._configs.get(context.peer(), {})

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        del request, context
        return plugin_pb2.PluginInfo(version=version(f"pulumi-{self._package.name}"))

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        del request, context
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        del request, context
        return empty_pb2.Empty()

    @plain_errors
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        del context
        decoded = {
            key: _decode(key, value) for key, value in from_struct(request.news).items() if key not in _ENGINE_KEYS
        }
        mistakes = Checker(schema.provider(self._package.name), {}, {}).mistakes(decoded)
        return provider_pb2.CheckResponse(inputs=request.news, failures=check_failures(mistakes))

    @plain_errors
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        del context
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        replacing = self._package.replacing_config_keys(old, new)
        return diff_response(
            [(change, change.path[0] in replacing) for change in changes(old, new)], delete_first=False
        )

    @plain_errors
    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        arguments = from_struct(request.args)
        self._configs[context.peer()] = {key: _decode(key, value) for key, value in arguments.items()}
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )


def _decode(key: str, value: Json) -> Json:
    """A property of the provider: the engine sends objects, lists and booleans as JSON text."""
    plain = reveal(value)
    is_json = isinstance(plain, str) and plain != UNKNOWN and plain.startswith(("{", "[", "true", "false"))
    if key in _TEXT_KEYS or not is_json:
        return value
    try:
        return json.loads(plain)
    except json.JSONDecodeError:
        return value
