"""The resource provider service of one package, over the simulated cloud."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from atwork.engine.urn import type_of
from atwork.sandbox.cloud import AlreadyExists, Cloud, CloudCorrupt, CloudObject
from atwork.sandbox.provider import expected, schema
from atwork.sandbox.provider.check import Checker, Mistake
from atwork.sandbox.provider.diff import Change, changes
from atwork.sandbox.provider.failures import Aborted, abort_unready
from atwork.sandbox.provider.kubernetes import Kubernetes, server
from atwork.sandbox.provider.package import Package, Refused, Request
from atwork.sandbox.provider.values import UNKNOWN, Json, from_struct, has_unknown, keep_secret, reveal, to_struct

log = logging.getLogger("atwork.sandbox.provider")
_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}
_ENGINES_OWN = ("version", "pluginDownloadURL")
_TEXTS = ("kubeconfig", "credentials")
"""Provider properties that are JSON and mean to be text."""
Method = TypeVar("Method", bound=Callable[..., Any])


def plain_errors(method: Method) -> Method:
    """Turn what goes wrong into one plain message for the engine; only the unexpected leaves a traceback in the log."""

    @functools.wraps(method)
    def answered(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except Refused as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except CloudCorrupt as error:
            context.abort(grpc.StatusCode.DATA_LOSS, str(error))
        except schema.UnknownType as error:
            context.abort(grpc.StatusCode.NOT_FOUND, f"the installed SDK has no resource type {error}")
        except Aborted:
            raise
        except Exception as error:
            log.exception("%s failed", method.__name__)
            context.abort(grpc.StatusCode.INTERNAL, f"the simulation failed in {method.__name__}: {error!r}")

    return answered  # pyright: ignore[reportReturnType]  (the same signature)


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One package for any number of engines; each connection of one has its own provider configuration."""

    def __init__(self, package: Package, cloud: Cloud) -> None:
        self._package, self._cloud = package, cloud
        self._configs: dict[str, dict[str, Json]] = {}

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
        news = from_struct(request.news)
        plain = {
            key: _decoded(key, value) for key, value in news.items() if key not in ("version", "pluginDownloadURL")
        }
        mistakes = Checker(schema.provider(self._package.name), {}, {}).mistakes(plain)
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(mistakes))

    @plain_errors
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        del context
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        found = list(changes(old, new))
        replacing = {
            change.text()
            for change in found
            if change.path[0] == "clusterIdentifier"
            or (change.path[0] == "kubeconfig" and "clusterIdentifier" not in new and _moved(old, new))
        }
        return diff_response([(change, change.text() in replacing) for change in found], delete_first=False)

    @plain_errors
    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        arguments = from_struct(request.args)
        self._configs[context.peer()] = {key: _decoded(key, value) for key, value in arguments.items()}
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    @plain_errors
    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        made = self._request(request, context, request.news)
        completed = self._package.completed(made, from_struct(request.olds), request.randomSeed)
        rules, objects = self._package.rules(made.token)
        mistakes = Checker(schema.resource(made.token), rules, objects).mistakes(completed)
        return provider_pb2.CheckResponse(inputs=to_struct(completed), failures=_failures(mistakes))

    @plain_errors
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        made = self._request(request, context, request.news)
        old = from_struct(request.old_inputs)
        return diff_response(self._changes(request, made, old), delete_first=self._package.delete_first(made, old))

    @plain_errors
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        made = self._request(request, context, request.properties)
        if request.preview:
            told = self._expected(made, self._package.outputs(made, UNKNOWN))
            return provider_pb2.CreateResponse(properties=to_struct(told))
        scope, identity = self._package.identity(made)
        outputs = keep_secret(self._package.outputs(made, identity), made.inputs)
        one = CloudObject(scope, made.token, identity, made.urn, made.inputs, outputs)
        with self._cloud.together():
            self._package.reachable(made, self._cloud)
            links = self._existing_links(made)
            self._package.creatable(made)
            try:
                if self._package.idempotent(made.token):
                    self._cloud.update(one, links)
                else:
                    self._cloud.create(one, links)
            except AlreadyExists:
                raise Refused(f"Error 409: '{identity}' already exists; import it, or choose another name") from None
        self._build(one)
        abort_unready(context, one, self._package.unready(one, self._cloud))
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(outputs))

    @plain_errors
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        made = self._request(request, context, request.inputs)
        if self.let_go(made):
            return provider_pb2.ReadResponse()
        imports = not made.inputs and not request.HasField("properties")
        identity = self._package.imported_id(made.token, request.id) if imports else request.id
        found = self._cloud.get(self._package.scope(made), made.token, identity)
        if found is None:
            return provider_pb2.ReadResponse()
        inputs, outputs = self._package.imported(found) if imports else (found.inputs, found.outputs)
        return provider_pb2.ReadResponse(id=found.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    @plain_errors
    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        made = self._request(request, context, request.news)
        state = from_struct(request.olds)
        self._package.updatable(made, state)
        filled = self._package.filled(made, state)
        if request.preview:
            told = self._expected(filled, self._package.outputs(filled, request.id), state)
            return provider_pb2.UpdateResponse(properties=to_struct(told))
        outputs = keep_secret(self._package.outputs(filled, request.id), made.inputs)
        one = CloudObject(self._package.scope(made), made.token, request.id, made.urn, made.inputs, outputs)
        with self._cloud.together():
            self._package.reachable(made, self._cloud)
            if self._cloud.get(one.scope, made.token, request.id) is None:
                raise Refused(f"Error 404: '{request.id}' was not found; run `pulumi refresh`")
            self._cloud.update(one, self._existing_links(made))
        abort_unready(context, one, self._package.unready(one, self._cloud))
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @plain_errors
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        made = self._request(request, context, request.old_inputs)
        with self._cloud.together():
            self._package.reachable(made, self._cloud)
            found = self._cloud.get(self._package.scope(made), made.token, request.id)
            if found is not None:
                self._package.deletable(found, self._cloud)
                self._package.gone(found, self._cloud)
        if found is not None:
            self._package.dismantled(found)
        return empty_pb2.Empty()

    @plain_errors
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        del context
        raise Refused(f"{request.tok}: the sandbox has no data sources, and the program needs none")

    def let_go(self, made: Request) -> bool:
        """Whether nobody answers for the object and the provider was told to read that as gone; else `Refused`."""
        try:
            self._package.reachable(made, self._cloud)
        except Refused:
            if self._package.lets_go(made):
                return True
            raise
        return False

    def _request(self, request: Any, context: grpc.ServicerContext, properties: Any) -> Request:
        token = type_of(request.urn)
        return Request(token, request.urn, self._configs.get(context.peer(), {}), from_struct(properties))

    def _changes(self, request: Any, made: Request, old: Mapping[str, Json]) -> list[tuple[Change, bool]]:
        """What differs, and whether it replaces; without what the program wants ignored."""
        ignored = set(request.ignoreChanges)
        return [
            (change, replaces)
            for change, replaces in self._package.differences(made, old, from_struct(request.olds))
            if change.text() not in ignored and change.path[0] not in ignored
        ]

    def _build(self, one: CloudObject) -> None:
        """Do what takes its time; where that fails, the object has never been."""
        try:
            self._package.built(one)
        except Refused:
            self._cloud.delete(one.scope, one.type, one.id)
            raise

    def _expected(
        self, made: Request, answered: Mapping[str, Json], before: Mapping[str, Json] | None = None
    ) -> dict[str, Json]:
        """The outputs that a preview tells; without `before` the resource is not there yet."""
        inputs = {key: value for key, value in made.inputs.items() if not key.startswith("__")}
        return expected.outputs(inputs, answered, before or {}, schema.resource(made.token)["outputs"])

    def _existing_links(self, made: Request) -> set[str]:
        links = self._package.links(made)
        for link in sorted(links):
            if isinstance(self._package, Kubernetes):
                if not self._package.present(link, self._cloud):
                    raise Refused(f'namespaces "{link.rpartition("#")[2]}" not found; create it first')
            elif not self._cloud.holds("", link):
                raise Refused(f"Error 404: The resource '{link}' was not found; create it first, or correct the name")
        return links


def _moved(old: Mapping[str, Json], new: Mapping[str, Json]) -> bool:
    return has_unknown(new.get("kubeconfig")) or server(old) != server(new)


def _decoded(key: str, value: Json) -> Json:
    """A provider's own property: the engine hands structured ones and booleans over as JSON text."""
    plain = reveal(value)
    if (
        key in _TEXTS
        or not isinstance(plain, str)
        or plain == UNKNOWN
        or not plain.startswith(("{", "[", "true", "false"))
    ):
        return value
    try:
        return json.loads(plain)
    except json.JSONDecodeError:
        return value


def _failures(mistakes: list[Mistake]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=one.path, reason=one.reason) for one in mistakes]


def diff_response(found: list[tuple[Change, bool]], *, delete_first: bool) -> provider_pb2.DiffResponse:
    """The answer to `Diff`, path by path."""
    replacing = [change for change, replaces in found if replaces]
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=sorted({str(change.path[0]) for change in replacing}),
        diffs=sorted({str(change.path[0]) for change, _ in found}),
        deleteBeforeReplace=bool(replacing) and delete_first,
        hasDetailedDiff=True,
        detailedDiff={
            change.text(): provider_pb2.PropertyDiff(kind=_KINDS[change.kind, replaces], inputDiff=True)
            for change, replaces in found
        },
    )
