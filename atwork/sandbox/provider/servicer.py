"""The resource provider service of one package over the simulated cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from atwork.engine.urn import stack_of, type_of
from atwork.report.keeping import is_importable
from atwork.sandbox.cloud import AlreadyExists, Cloud, CloudObject
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.check import Checker
from atwork.sandbox.provider.configuration import ConfiguredServicer
from atwork.sandbox.provider.diff import PropertyChange
from atwork.sandbox.provider.errors import Refused, abort_if_not_ready, plain_errors
from atwork.sandbox.provider.package import Package, ResourceRequest
from atwork.sandbox.provider.preview import expected_outputs
from atwork.sandbox.provider.responses import check_failures, diff_response
from atwork.sandbox.provider.values import UNKNOWN, Json, from_struct, keep_secret, to_struct


class ProviderServicer(ConfiguredServicer):
    """One package for any number of engines."""

    def __init__(self, package: Package, cloud: Cloud) -> None:
        super().__init__(package)
        self._cloud = cloud

    @plain_errors
    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        resource = self._resource(request, context, request.news)
        inputs = self._package.complete(resource, from_struct(request.olds), request.randomSeed)
        rules, objects = self._package.rules(resource.token)
        mistakes = Checker(schema.resource(resource.token), rules, objects).mistakes(inputs)
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=check_failures(mistakes))

    @plain_errors
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        resource = self._resource(request, context, request.news)
        old = from_struct(request.old_inputs)
        delete_first = self._package.deletes_before_replace(resource, old)
        return diff_response(self._differences(request, resource, old), delete_first=delete_first)

    @plain_errors
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        resource = self._resource(request, context, request.properties)
        if request.preview:
            expected = self._expected(resource, self._package.outputs(resource, UNKNOWN))
            return provider_pb2.CreateResponse(properties=to_struct(expected))
        scope, identity = self._package.identity(resource)
        outputs = keep_secret(self._package.outputs(resource, identity), resource.inputs)
        created = CloudObject(scope, resource.token, identity, resource.urn, resource.inputs, outputs)
        with self._cloud.transaction():
            self._package.check_reachable(resource, self._cloud)
            references = self._existing_references(resource)
            self._package.check_create(resource)
            try:
                if self._package.create_is_idempotent(resource.token):
                    self._cloud.update(created, references)
                else:
                    self._cloud.create(created, references)
            except AlreadyExists:
                raise Refused(_exists(resource, identity)) from None
            self._package.settle(created, self._cloud)
        self._provision(created)
        abort_if_not_ready(context, created, self._package.readiness_problems(created, self._cloud))
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(outputs))

    @plain_errors
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        resource = self._resource(request, context, request.inputs)
        if self._unreachable_is_deleted(resource):
            return provider_pb2.ReadResponse()
        is_import = not resource.inputs and not request.HasField("properties")
        identity = self._package.id_for_import(resource.token, request.id) if is_import else request.id
        existing = self._cloud.get(self._package.scope(resource), resource.token, identity)
        if existing is None:
            return provider_pb2.ReadResponse()
        inputs, outputs = self._package.read_for_import(existing) if is_import else (existing.inputs, existing.outputs)
        return provider_pb2.ReadResponse(id=existing.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    @plain_errors
    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        resource = self._resource(request, context, request.news)
        state = from_struct(request.olds)
        self._package.check_update(resource, state)
        complete = self._package.with_kept_values(resource, state)
        if request.preview:
            expected = self._expected(complete, self._package.outputs(complete, request.id), state)
            return provider_pb2.UpdateResponse(properties=to_struct(expected))
        outputs = keep_secret(self._package.outputs(complete, request.id), resource.inputs)
        scope = self._package.scope(resource)
        updated = CloudObject(scope, resource.token, request.id, resource.urn, resource.inputs, outputs)
        with self._cloud.transaction():
            self._package.check_reachable(resource, self._cloud)
            if self._cloud.get(scope, resource.token, request.id) is None:
                raise Refused(f"Error 404: '{request.id}' was not found; run `pulumi refresh`")
            self._cloud.update(updated, self._existing_references(resource))
            self._package.settle(updated, self._cloud)
        abort_if_not_ready(context, updated, self._package.readiness_problems(updated, self._cloud))
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @plain_errors
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        resource = self._resource(request, context, request.old_inputs)
        with self._cloud.transaction():
            self._package.check_reachable(resource, self._cloud)
            existing = self._cloud.get(self._package.scope(resource), resource.token, request.id)
            if existing is not None:
                self._package.check_delete(existing, self._cloud)
                self._package.delete(existing, self._cloud)
        if existing is not None:
            self._package.deprovision(existing)
        return empty_pb2.Empty()

    @plain_errors
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        del context
        raise Refused(f"{request.tok}: the sandbox has no data sources, and the program needs none")

    def _resource(self, request: Any, context: grpc.ServicerContext, properties: Any) -> ResourceRequest:
        return ResourceRequest(type_of(request.urn), request.urn, self.config(context), from_struct(properties))

    def _unreachable_is_deleted(self, resource: ResourceRequest) -> bool:
        """Whether the object is unreachable and its provider treats that as deleted; `Refused` if it does not."""
        try:
            self._package.check_reachable(resource, self._cloud)
        except Refused:
            if self._package.unreachable_is_deleted(resource):
                return True
            raise
        return False

    def _differences(
        self, request: Any, resource: ResourceRequest, old: Mapping[str, Json]
    ) -> list[tuple[PropertyChange, bool]]:
        """The changes and whether each replaces the resource, without those that the program ignores."""
        ignored = set(request.ignoreChanges)
        return [
            (change, replaces)
            for change, replaces in self._package.differences(resource, old, from_struct(request.olds))
            if change.text() not in ignored and change.path[0] not in ignored
        ]

    def _provision(self, created: CloudObject) -> None:
        """Start what runs behind the object; if that fails, its record is removed."""
        try:
            self._package.provision(created)
        except Refused:
            self._cloud.delete(created.scope, created.type, created.id)
            raise

    def _expected(
        self, resource: ResourceRequest, computed: Mapping[str, Json], before: Mapping[str, Json] | None = None
    ) -> dict[str, Json]:
        """The outputs in a preview; without `before` the resource does not exist yet."""
        inputs = {key: value for key, value in resource.inputs.items() if not key.startswith("__")}
        return expected_outputs(inputs, computed, before or {}, schema.resource(resource.token)["outputs"])

    def _existing_references(self, resource: ResourceRequest) -> set[str]:
        """The ids that the resource refers to; `Refused` if one does not exist."""
        references = self._package.references(resource)
        for reference in sorted(references):
            self._package.check_reference(reference, self._cloud)
        return references


def _exists(resource: ResourceRequest, identity: str) -> str:
    adopt = f" (`atwork environment adopt {stack_of(resource.urn)}`)" if is_importable(resource.token) else ""
    return f"Error 409: '{identity}' already exists; import it{adopt}, or choose another name"
