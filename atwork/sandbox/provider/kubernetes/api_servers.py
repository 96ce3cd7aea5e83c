"""The real API servers that the provider's kubeconfigs name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api, ApiError, Unreachable
from atwork.sandbox.provider.errors import Refused
from atwork.sandbox.provider.kubernetes.live_objects import LiveObject, message
from atwork.sandbox.provider.kubernetes.package import Kubernetes
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.values import has_unknown, is_unknown, reveal

Connect = Callable[[str], Api]
"""Creates a client from a kubeconfig."""


class ApiServers:
    """One client for each kubeconfig; safe for several threads."""

    def __init__(self, package: Kubernetes, cloud: Cloud, connect: Connect) -> None:
        self._package, self._cloud, self._connect = package, cloud, connect
        self._apis: dict[str, Api] = {}
        self._connecting = threading.Lock()

    def api(self, kubeconfig: str) -> Api:
        """The client for a kubeconfig."""
        with self._connecting:
            if kubeconfig not in self._apis:
                self._apis[kubeconfig] = self._connect(kubeconfig)
            return self._apis[kubeconfig]

    def is_reachable(self, resource: ResourceRequest) -> bool:
        """Whether the kubeconfig is known and its cluster exists."""
        if is_unknown(resource.config.get("kubeconfig")) or "kubeconfig" not in resource.config:
            return False
        try:
            self._package.check_reachable(resource, self._cloud)
        except Refused:
            return False
        return True

    def object(self, resource: ResourceRequest) -> LiveObject:
        """The object of a resource in its cluster."""
        inputs = reveal(resource.inputs)
        api = self.api(str(reveal(resource.config.get("kubeconfig"))))
        return LiveObject(api, api.place(str(inputs["apiVersion"]), str(inputs["kind"])), resource)

    def dry_run(self, resource: ResourceRequest, act: Callable[[LiveObject], dict[str, Any]]) -> dict[str, Any]:
        """The object as the server would answer; empty if the server cannot be asked yet, which is not an error."""
        if has_unknown(resource.inputs) or not self.is_reachable(resource):
            return {}
        try:
            return act(self.object(resource))
        except Unreachable:
            return {}
        except ApiError as error:
            # The same update creates the namespace or the kind, or the update reports what is missing.
            if error.code != 404:
                raise Refused(message(resource, error)) from None
            return {}
