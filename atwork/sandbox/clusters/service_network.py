"""What pods of a cluster reach: the Services of their namespace."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atwork.containers import network
from atwork.errors import SandboxError
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.node.real_node import RealNode


@dataclass(frozen=True)
class Neighbor:
    """A Service that a pod reaches by names, at ports that connect somewhere."""

    names: Sequence[str]
    ports: Mapping[int, network.Dial]
    own: bool = False
    """Whether the Service leads to the pod itself: its names are then those of loopback."""


@dataclass(frozen=True)
class ServiceNetwork:
    """The Services of a cluster."""

    api: Api
    node: RealNode | None
    """The node that runs pods, if there is one."""
    dial_pod: Callable[[str, int], socket.socket]
    """Connects to a port of a pod with a UID that is not on the node."""

    def neighbors(self, pod: Mapping[str, Any]) -> list[Neighbor]:
        """The Services of a pod's namespace."""
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
        neighbors: list[Neighbor] = []
        for service in self.api.all(f"/api/v1/namespaces/{namespace}/services"):
            name, selector = service["metadata"]["name"], service["spec"].get("selector") or {}
            own = bool(selector) and selector.items() <= labels.items()
            names = [name, f"{name}.{namespace}", f"{name}.{namespace}.svc.cluster.local"]
            ports = service["spec"].get("ports") or ()
            neighbors.append(Neighbor(names, {each["port"]: self._dial(namespace, name, each) for each in ports}, own))
        return neighbors

    def dial(self, namespace: str, service: str) -> network.Dial:
        """What connects to the first port of a Service; `SandboxError` if there is none."""
        manifest = self.api.get(self.api.place("v1", "Service"), namespace, service)
        if manifest is None:
            raise SandboxError(f"there is no service {namespace}/{service}")
        return self._dial(namespace, service, manifest["spec"]["ports"][0])

    def _dial(self, namespace: str, service: str, port: Mapping[str, Any]) -> network.Dial:
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

        def dial() -> socket.socket:
            """Connect to a ready pod, as the EndpointSlices of the cluster say."""
            for piece in self.api.all(path, labelSelector=f"kubernetes.io/service-name={service}"):
                name = port.get("name", "")
                numbers = [each["port"] for each in piece.get("ports") or () if each.get("name", "") == name]
                for endpoint in piece.get("endpoints") or ():
                    uid = (endpoint.get("targetRef") or {}).get("uid")
                    if numbers and uid and (endpoint.get("conditions") or {}).get("ready"):
                        if self.node is not None and endpoint.get("nodeName") == NODE:
                            return network.connect(self.node.pid, numbers[0], endpoint["addresses"][0])
                        return self.dial_pod(uid, numbers[0])
            raise ConnectionRefusedError(f"{namespace}/{service} has no ready pod")

        return dial
