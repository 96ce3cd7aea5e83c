"""Objects in real clusters: server-side apply, dry run in a preview, wait until ready, read back.

The simulated cloud records each object that it was asked to create, so that recovery finds what a killed update left
behind, as for all other objects. The content of an object comes from the API server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from atwork.sandbox.cloud import AlreadyExists, Cloud, CloudObject
from atwork.sandbox.clusters.api import ApiError
from atwork.sandbox.clusters.blocked import reasons
from atwork.sandbox.provider.errors import Refused, abort_not_ready, plain_errors
from atwork.sandbox.provider.kubernetes import objects
from atwork.sandbox.provider.kubernetes.api_servers import ApiServers, Connect
from atwork.sandbox.provider.kubernetes.engine_display import EngineDisplay
from atwork.sandbox.provider.kubernetes.live_objects import (
    NotReady,
    ReportStatus,
    immutable_fields,
    message,
    refusing,
)
from atwork.sandbox.provider.kubernetes.live_releases import ReleaseCalls
from atwork.sandbox.provider.kubernetes.package import Kubernetes
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.responses import diff_response
from atwork.sandbox.provider.servicer import ProviderServicer
from atwork.sandbox.provider.values import (
    UNKNOWN,
    Json,
    from_struct,
    has_unknown,
    keep_secret,
    to_struct,
)
from components.type_tokens import RELEASE

_DELETE_SECONDS = 300


class LiveServicer(ProviderServicer):
    """Package `kubernetes` over real API servers; `connect` creates a client from the provider's own kubeconfig."""

    def __init__(
        self, package: Kubernetes, cloud: Cloud, connect: Connect, authority: Callable[[str], Path | None]
    ) -> None:
        super().__init__(package, cloud)
        self._servers = ApiServers(package, cloud, connect)
        self._releases = ReleaseCalls(package, cloud, authority, self._servers.api)
        self._kubernetes = package
        self._display = EngineDisplay()

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        del context
        self._display.attach(request.address)
        return empty_pb2.Empty()

    @plain_errors
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        resource = self._resource(request, context, request.news)
        old = from_struct(request.old_inputs)
        differences = self._differences(request, resource, old)
        decided = not differences or any(replaces for _, replaces in differences) or resource.token == RELEASE
        if decided or has_unknown(resource.inputs) or not self._servers.is_reachable(resource):
            return diff_response(differences, delete_first=self._package.deletes_before_replace(resource, old))
        target = self._servers.object(resource)
        live = target.get()
        if live is None:
            return diff_response(differences, delete_first=False)
        try:
            applied = target.apply(dry_run=True, force=True)
        except ApiError as error:
            immutable = immutable_fields(error)
            if not immutable:
                raise Refused(message(resource, error)) from None
            differences = [(change, replaces or change.path[0] in immutable) for change, replaces in differences]
            return diff_response(differences, delete_first=self._package.deletes_before_replace(resource, old))
        # The server's answer decides: 1000m and 1 are the same quantity.
        is_same = objects.comparable(live) == objects.comparable(applied)
        return diff_response([] if is_same else differences, delete_first=False)

    @plain_errors
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        resource = self._resource(request, context, request.properties)
        if resource.token == RELEASE:
            return self._releases.create(request, context, resource) or super().Create(request, context)
        if request.preview:
            self._servers.dry_run(resource, lambda target: target.create(dry_run=True))
            expected = self._expected(resource, self._package.outputs(resource, UNKNOWN))
            return provider_pb2.CreateResponse(properties=to_struct(expected))
        self._package.check_reachable(resource, self._cloud)
        scope, identity = self._package.identity(resource)
        self._record(CloudObject(scope, resource.token, identity, resource.urn, resource.inputs, {}))
        try:
            with refusing(resource):
                live = self._servers.object(resource).create()
        except Refused:
            self._cloud.delete(scope, resource.token, identity)
            raise
        self._settle(scope, resource, identity)
        outputs = self._ready_outputs(request, context, resource, live, identity)
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(outputs))

    @plain_errors
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        resource = self._resource(request, context, request.inputs)
        if resource.token == RELEASE:
            return self._releases.read(request, resource) or super().Read(request, context)
        if self._unreachable_is_deleted(resource):
            return provider_pb2.ReadResponse()
        given = dict(resource.inputs)
        if not given:
            namespace, _, name = str(request.id).rpartition("/")
            minimal = self._kubernetes.minimal_inputs(resource.token, namespace, name)
            resource = ResourceRequest(resource.token, resource.urn, resource.config, minimal)
        with refusing(resource):
            live = self._servers.object(resource).get()
        if live is None:
            return provider_pb2.ReadResponse()
        inputs = objects.refreshed(given, from_struct(request.properties), live) if given else objects.imported(live)
        outputs = keep_secret({**objects.outputs(live), "id": request.id}, inputs)
        return provider_pb2.ReadResponse(id=request.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    @plain_errors
    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        resource = self._resource(request, context, request.news)
        if resource.token == RELEASE:
            return self._releases.update(request, context, resource) or super().Update(request, context)
        if request.preview:
            applied = self._servers.dry_run(resource, lambda target: target.apply(dry_run=True))
            computed = {**objects.outputs(applied), "id": request.id}
            expected = self._expected(resource, computed, from_struct(request.olds))
            return provider_pb2.UpdateResponse(properties=to_struct(expected))
        self._package.check_reachable(resource, self._cloud)
        with refusing(resource):
            live = self._servers.object(resource).apply_over_kubectl()
        scope = self._package.scope(resource)
        self._cloud.update(CloudObject(scope, resource.token, request.id, resource.urn, resource.inputs, {}), set())
        self._settle(scope, resource, request.id)
        outputs = self._ready_outputs(request, context, resource, live, request.id)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @plain_errors
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        resource = self._resource(request, context, request.old_inputs)
        if resource.token == RELEASE:
            self._releases.delete(request, resource)
            return super().Delete(request, context)
        self._package.check_reachable(resource, self._cloud)
        with refusing(resource):
            self._servers.object(resource).delete(request.timeout or _DELETE_SECONDS, self._report(resource))
        existing = self._cloud.get(self._package.scope(resource), resource.token, request.id)
        if existing is not None:
            self._package.delete(existing, self._cloud)
        return empty_pb2.Empty()

    def _ready_outputs(
        self,
        request: Any,
        context: grpc.ServicerContext,
        resource: ResourceRequest,
        live: Mapping[str, Any],
        identity: str,
    ) -> dict[str, Json]:
        """The outputs of the object when it is ready; else the call ends, and the engine keeps it with the reasons."""
        target = self._servers.object(resource)

        def outputs(live: Mapping[str, Any]) -> dict[str, Json]:
            return keep_secret({**objects.outputs(live), "id": identity}, resource.inputs)

        try:
            return outputs(target.wait_until_ready(live, request.timeout, self._report(resource)))
        except NotReady as error:
            problems = [str(error), *reasons(target.api, target.namespace)]
            abort_not_ready(context, identity, resource.inputs, outputs(error.live), problems)

    def _settle(self, scope: str, resource: ResourceRequest, identity: str) -> None:
        changed = CloudObject(scope, resource.token, identity, resource.urn, resource.inputs, {})
        with self._cloud.transaction():
            self._package.settle(changed, self._cloud)

    def _record(self, planned: CloudObject) -> None:
        try:
            self._cloud.create(planned, set())
        except AlreadyExists:
            self._cloud.update(planned, set())  # the server decides whether it exists

    def _report(self, resource: ResourceRequest) -> ReportStatus:
        return functools.partial(self._display.show, resource.urn)
