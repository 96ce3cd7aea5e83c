"""Releases as the engine asks for them: Helm's where the chart is at hand, else none of this module's business."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2

from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.clusters import blocked
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.provider.failures import abort_made
from atwork.sandbox.provider.kubernetes import Kubernetes, mounts, objects, releases, server
from atwork.sandbox.provider.package import Refused, Request
from atwork.sandbox.provider.values import from_struct, has_unknown, is_unknown, keep_secret, reveal, to_struct
from atwork.toolchain import programs

_BY_HELM = "byHelm"
"""Mark of a release that Helm installed, in the simulated cloud's note of it."""
_NOT_YET = ("not found", "no matches for kind", "ensure CRDs are installed")
"""What a preview may hear and an update may not: the namespace or a kind comes in the same update."""


class Releases:
    """Each method answers as the provider would, or with None where the release is only recorded."""

    def __init__(
        self,
        package: Kubernetes,
        cloud: Cloud,
        authority: Callable[[str], Path | None],
        connect: Callable[[str], Api],
    ) -> None:
        self._package, self._cloud, self._authority, self._connect = package, cloud, authority, connect

    def create(self, request: Any, context: grpc.ServicerContext, made: Request) -> provider_pb2.CreateResponse | None:
        """Install it; one that does not become ready is kept in the state, as Helm keeps it."""
        chart = releases.chart_of(made.inputs)
        release = self._release(made) if chart is not None else None
        if chart is None or release is None:
            return None
        if request.preview:
            self._rehearse(release, chart)
            return None
        self._package.reachable(made, self._cloud)
        _scope, identity = self._package.identity(made)
        if release.status() is not None:
            raise Refused(f"Release {identity}: a release of that name is there already; import it, or rename it")
        self._keep(made, identity, {_BY_HELM: True})
        outputs = self._brought_up(release, chart, request, context, made, identity)
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(outputs))

    def update(self, request: Any, context: grpc.ServicerContext, made: Request) -> provider_pb2.UpdateResponse | None:
        """Upgrade it."""
        chart = releases.chart_of(made.inputs)
        release = self._release(made) if chart is not None and self._is_ours(made, request.id) else None
        if chart is None or release is None:
            return None
        if request.preview:
            self._rehearse(release, chart)
            return None
        self._package.reachable(made, self._cloud)
        outputs = self._brought_up(release, chart, request, context, made, request.id)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def read(self, request: Any, made: Request) -> provider_pb2.ReadResponse | None:
        """As Helm has it; values that somebody else gave it are drift."""
        release = self._release(made) if self._is_ours(made, request.id) else None
        if release is None:
            return None
        self._package.reachable(made, self._cloud)
        status = release.status()
        if status is None:
            return provider_pb2.ReadResponse()
        before = reveal(from_struct(request.properties)).get("values") or {}
        values = objects.refreshed(made.inputs.get("values") or {}, before, status["values"])
        inputs = {**made.inputs, "values": values}
        outputs = keep_secret(releases.outputs(inputs, status, request.id), inputs)
        return provider_pb2.ReadResponse(id=request.id, inputs=to_struct(inputs), properties=to_struct(outputs))

    def delete(self, request: Any, made: Request) -> None:
        """Uninstall it where Helm installed it; the note of it goes as any other object."""
        release = self._release(made) if self._is_ours(made, request.id) else None
        if release is not None:
            self._package.reachable(made, self._cloud)
            release.uninstall(request.timeout)

    def _brought_up(
        self,
        release: releases.Release,
        chart: Path,
        request: Any,
        context: grpc.ServicerContext,
        made: Request,
        identity: str,
    ) -> dict[str, Any]:
        # No node of the simulation mounts anything: what a pod would wait for is looked at here.
        reasons = mounts.unready(made.inputs, self._package.scope(made), self._cloud)
        try:
            release.install(chart, request.timeout, wait=not reasons)
        except Refused as error:
            api = self._connect(release.kubeconfig)
            reasons += [str(error), *blocked.reasons(api, str(release.inputs["namespace"]))]
        status = release.status()
        if status is None:  # nothing was installed, or it was rolled back whole
            self._cloud.delete(self._package.scope(made), made.token, identity)
            raise Refused(reasons[0] if reasons else f"Release {identity}: Helm has no record of it")
        outputs = keep_secret(releases.outputs(made.inputs, status, identity), made.inputs)
        self._keep(made, identity, {**outputs, _BY_HELM: True})
        if reasons:
            abort_made(context, identity, made.inputs, outputs, reasons)
        return outputs

    def _rehearse(self, release: releases.Release, chart: Path) -> None:
        try:
            release.rehearse(chart)
        except Refused as error:
            if not any(one in str(error) for one in _NOT_YET):
                raise

    def _release(self, made: Request) -> releases.Release | None:
        """The release, where Helm is on this machine and all is known that it needs."""
        helm = programs.helm_at_hand()
        kubeconfig = made.config.get("kubeconfig")
        if helm is None or kubeconfig is None or is_unknown(kubeconfig) or has_unknown(made.inputs):
            return None
        authority = self._authority(server(made.config))
        return releases.Release(reveal(made.inputs), str(reveal(kubeconfig)), authority, helm)

    def _is_ours(self, made: Request, identity: str) -> bool:
        found = self._cloud.get(self._package.scope(made), made.token, identity)
        return found is not None and bool(found.outputs.get(_BY_HELM))

    def _keep(self, made: Request, identity: str, outputs: dict[str, Any]) -> None:
        scope = self._package.scope(made)
        self._cloud.update(CloudObject(scope, made.token, identity, made.urn, made.inputs, outputs), set())
