"""Calls of the engine about releases: Helm answers if the chart is available, else the simulation does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.clusters import blocked
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.provider.errors import Refused, abort_not_ready
from atwork.sandbox.provider.kubernetes import helm, mounts, objects
from atwork.sandbox.provider.kubernetes.kubeconfig import server_of
from atwork.sandbox.provider.kubernetes.package import Kubernetes
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.values import from_struct, has_unknown, is_unknown, keep_secret, reveal, to_struct
from atwork.toolchain import programs

_BY_HELM = "byHelm"
"""Marks the record of a release that Helm installed."""
_MISSING_IN_PREVIEW = ("not found", "no matches for kind", "ensure CRDs are installed")
"""Errors that a preview ignores: the same update creates the namespace or the kind."""


class ReleaseCalls:
    """Each method answers as the provider does, or returns None if the release exists only in the simulation."""

    def __init__(
        self,
        package: Kubernetes,
        cloud: Cloud,
        authority: Callable[[str], Path | None],
        connect: Callable[[str], Api],
    ) -> None:
        self._package, self._cloud, self._authority, self._connect = package, cloud, authority, connect

    def create(
        self, request: Any, context: grpc.ServicerContext, resource: ResourceRequest
    ) -> provider_pb2.CreateResponse | None:
        """Install the release; if it does not become ready, the state keeps it, as Helm does."""
        chart = helm.chart_of(resource.inputs)
        release = self._release(resource) if chart is not None else None
        if chart is None or release is None or not self._is_applied(request, resource, release, chart):
            return None
        _, identity = self._package.identity(resource)
        if release.status() is not None:
            raise Refused(f"Release {identity}: a release of that name exists; import it, or rename it")
        self._record(resource, identity, {_BY_HELM: True})
        outputs = self._install(release, chart, request, context, resource, identity)
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(outputs))

    def update(
        self, request: Any, context: grpc.ServicerContext, resource: ResourceRequest
    ) -> provider_pb2.UpdateResponse | None:
        """Upgrade the release."""
        chart = helm.chart_of(resource.inputs)
        release = self._release(resource) if chart is not None and self._is_by_helm(resource, request.id) else None
        if chart is None or release is None or not self._is_applied(request, resource, release, chart):
            return None
        outputs = self._install(release, chart, request, context, resource, request.id)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def read(self, request: Any, resource: ResourceRequest) -> provider_pb2.ReadResponse | None:
        """The release as Helm knows it; values that another client set are drift."""
        release = self._release(resource) if self._is_by_helm(resource, request.id) else None
        if release is None:
            return None
        self._package.check_reachable(resource, self._cloud)
        status = release.status()
        if status is None:
            return provider_pb2.ReadResponse()
        before = reveal(from_struct(request.properties)).get("values") or {}
        values = objects.refreshed(resource.inputs.get("values") or {}, before, status["values"])
        inputs = {**resource.inputs, "values": values}
        outputs = keep_secret(helm.outputs(inputs, status, request.id), inputs)
        return provider_pb2.ReadResponse(id=request.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    def delete(self, request: Any, resource: ResourceRequest) -> None:
        """Uninstall the release if Helm installed it; its record is deleted like any other."""
        release = self._release(resource) if self._is_by_helm(resource, request.id) else None
        if release is not None:
            self._package.check_reachable(resource, self._cloud)
            release.uninstall(request.timeout)

    def _install(
        self,
        release: helm.Release,
        chart: Path,
        request: Any,
        context: grpc.ServicerContext,
        resource: ResourceRequest,
        identity: str,
    ) -> dict[str, Any]:
        # No node of the simulation mounts a volume, so the volumes of the pod are checked here.
        problems = mounts.problems(resource.inputs, self._package.scope(resource), self._cloud)
        try:
            release.install(chart, request.timeout, wait=not problems)
        except Refused as error:
            api = self._connect(release.kubeconfig)
            problems += [str(error), *blocked.reasons(api, str(release.inputs["namespace"]))]
        status = release.status()
        if status is None:  # nothing was installed, or Helm rolled it back
            self._cloud.delete(self._package.scope(resource), resource.token, identity)
            raise Refused(problems[0] if problems else f"Release {identity}: Helm has no record of it")
        outputs = keep_secret(helm.outputs(resource.inputs, status, identity), resource.inputs)
        self._record(resource, identity, {**outputs, _BY_HELM: True})
        if problems:
            abort_not_ready(context, identity, resource.inputs, outputs, problems)
        return outputs

    def _is_applied(self, request: Any, resource: ResourceRequest, release: helm.Release, chart: Path) -> bool:
        """Whether the release changes: a preview is a dry run of Helm, and everything else needs its cluster."""
        if request.preview:
            self._dry_run(release, chart)
            return False
        self._package.check_reachable(resource, self._cloud)
        return True

    def _dry_run(self, release: helm.Release, chart: Path) -> None:
        try:
            release.dry_run(chart)
        except Refused as error:
            if not any(text in str(error) for text in _MISSING_IN_PREVIEW):
                raise

    def _release(self, resource: ResourceRequest) -> helm.Release | None:
        """The release; None if Helm is not installed or an input is unknown."""
        program = programs.helm_at_hand()
        kubeconfig = resource.config.get("kubeconfig")
        if program is None or kubeconfig is None or is_unknown(kubeconfig) or has_unknown(resource.inputs):
            return None
        authority = self._authority(server_of(resource.config))
        return helm.Release(reveal(resource.inputs), str(reveal(kubeconfig)), authority, program)

    def _is_by_helm(self, resource: ResourceRequest, identity: str) -> bool:
        existing = self._cloud.get(self._package.scope(resource), resource.token, identity)
        return existing is not None and bool(existing.outputs.get(_BY_HELM))

    def _record(self, resource: ResourceRequest, identity: str, outputs: dict[str, Any]) -> None:
        scope = self._package.scope(resource)
        recorded = CloudObject(scope, resource.token, identity, resource.urn, resource.inputs, outputs)
        self._cloud.update(recorded, set())
