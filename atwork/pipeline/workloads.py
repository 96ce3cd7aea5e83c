"""The pods that deploys start: this machine runs the containers of those whose images the registry of the run has.

A thread looks at the real clusters, as the kubelets of their nodes would. The gate of the sandbox decides whether a pod
may start (atwork/sandbox/verify/gate.py). kwok plays pods whose images are not in the registry, and all pods after the
end. Pods on a real node are left to its kubelet.
"""

from __future__ import annotations

import ipaddress
import itertools
import logging
import random
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from atwork.containers import network
from atwork.containers.images import ImageStore
from atwork.errors import SandboxError
from atwork.pipeline.workload import Workload
from atwork.pipeline.workload_content import PodContent
from atwork.pipeline.workload_status import change
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters import waiting
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.blocked import ADMITTED, BLOCKED, CONTAINERS, PLAYED
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.node.real_node import RealNode
from atwork.sandbox.clusters.service_network import Neighbor, ServiceNetwork

log = logging.getLogger("atwork.pipeline")

_INTERVAL_SECONDS = 0.3
_ADDRESSES = ipaddress.ip_network("10.245.0.0/16")
"""Pods have addresses of this range in the cluster. None is routed."""


@dataclass(frozen=True)
class ServedCluster:
    """A real cluster, and the login with which its nodes pull images."""

    environment: str
    api: Api
    login: Mapping[str, str]
    node: RealNode | None = None
    """The node that runs pods, if there is one: its pods are not this machine's to start, and stay after the end."""


class ServiceData(Protocol):
    """What stands in for a service of Google that keeps the data of services."""

    def variables(self, known: Mapping[str, str]) -> dict[str, str]:
        """What a container with these variables gets in addition."""
        ...

    def neighbors(self, api: Api, known: Mapping[str, str]) -> list[Neighbor]:
        """What a pod with these variables reaches in addition."""
        ...

    def close(self) -> None:
        """End what runs."""
        ...


@dataclass
class Workloads:
    """The pods that run on this machine."""

    clusters: Sequence[ServedCluster]
    cloud: Cloud
    images: ImageStore
    registry: str
    data: Sequence[ServiceData]
    folder: Path
    say: Callable[[str], None]
    pods: dict[str, tuple[ServedCluster, Workload]] = field(default_factory=dict[str, tuple[ServedCluster, Workload]])
    """By UID."""
    _forwarder: network.Forwarder = field(default_factory=network.Forwarder)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(random.randrange(1, 60_000)))  # noqa: S311
    _said: set[str] = field(default_factory=set[str])
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start and end pods as the clusters have them, in a thread; kwok plays those of a run that was killed."""
        for cluster in self.clusters:
            for pod in cluster.api.all("/api/v1/pods"):
                if _annotations(pod).get(ADMITTED) == CONTAINERS:
                    _hand_over(cluster.api, pod)
        self._thread = threading.Thread(target=self._watch, name="workloads", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all containers; kwok plays their pods from now on."""
        self._stopped.set()
        self._thread.join()
        for cluster, workload in self.pods.values():
            workload.stop()
            _hand_over(cluster.api, workload.content.pod)
        self.pods.clear()
        for each in self.data:
            each.close()
        self._forwarder.close()
        for cluster in self.clusters:
            cluster.api.close()

    def running(self, environment: str, namespace: str) -> list[Workload]:
        """The pods of a namespace that are ready."""
        return [
            workload
            for cluster, workload in [*self.pods.values()]
            if cluster.environment == environment
            and workload.content.pod["metadata"]["namespace"] == namespace
            and workload.ready
        ]

    def address(self, environment: str, namespace: str, service: str) -> str:
        """HOST:PORT on this machine of a Service, until the end; `SandboxError` if there is none."""
        cluster = next((each for each in self.clusters if each.environment == environment), None)
        if cluster is None:
            raise SandboxError(f"{environment} has no real cluster in the sandbox")
        dial = self._network(cluster).dial(namespace, service)
        listener = socket.create_server(("127.0.0.1", 0))
        self._forwarder.forward(listener, dial)
        return "{}:{}".format(*listener.getsockname())

    def stays(self, environment: str, namespace: str) -> bool:
        """Whether pods of a namespace run on a real node, and therefore after the end."""
        [cluster] = [each for each in self.clusters if each.environment == environment]
        pods = cluster.api.all(f"/api/v1/namespaces/{namespace}/pods", fieldSelector=f"spec.nodeName={NODE}")
        return cluster.node is not None and bool(pods)

    def _watch(self) -> None:
        while not self._stopped.wait(_INTERVAL_SECONDS):
            for cluster in self.clusters:
                try:
                    self._reconcile(cluster)
                except ApiError as error:
                    log.warning("%s: %s", cluster.environment, error)

    def _reconcile(self, cluster: ServedCluster) -> None:
        present: set[str] = set()
        for pod in cluster.api.all("/api/v1/pods"):
            metadata, annotations = pod["metadata"], _annotations(pod)
            if BLOCKED in annotations:
                self._say_once(f"{metadata['namespace']}/{metadata['name']}: {annotations[BLOCKED]}")
            if pod["spec"].get("nodeName") == NODE and (why := waiting.stuck(pod)):
                self._say_once(f"{metadata['namespace']}/{metadata['name']}: {why}")
            if annotations.get(ADMITTED) != CONTAINERS or "deletionTimestamp" in metadata:
                continue
            present.add(metadata["uid"])
            if metadata["uid"] in self.pods:
                continue
            if self._has_images(cluster, pod):
                self._begin(cluster, pod)
            else:
                _hand_over(cluster.api, pod)
        ended = [uid for uid, (other, _) in self.pods.items() if other is cluster and uid not in present]
        for uid in ended:
            self.pods.pop(uid)[1].stop()

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.say(text)

    def _has_images(self, cluster: ServedCluster, pod: Mapping[str, Any]) -> bool:
        """Whether the registry has the pod's images; one that may not be read counts, so that the pull says why."""
        for container in pod["spec"]["containers"]:
            if not container["image"].startswith(f"{self.registry}/"):
                return False
            command = [str(self.images.crane), "digest", container["image"]]
            done = subprocess.run(command, env=dict(cluster.login), capture_output=True, text=True, check=False)
            if done.returncode and ("_UNKNOWN" in done.stderr or "404 Not Found" in done.stderr):
                return False
        return True

    def _begin(self, cluster: ServedCluster, pod: Mapping[str, Any]) -> None:
        metadata = pod["metadata"]
        folder = self.folder / cluster.environment / f"{metadata['name']}-{metadata['uid'][:8]}"
        folder.mkdir(parents=True)

        def neighbors(variables: Mapping[str, str]) -> list[Neighbor]:
            near = self._network(cluster).neighbors(pod)
            return near + [other for each in self.data for other in each.neighbors(cluster.api, variables)]

        def more_variables(variables: Mapping[str, str]) -> dict[str, str]:
            return {key: value for each in self.data for key, value in each.variables(variables).items()}

        workload = Workload(
            PodContent(cluster.api, self.cloud, pod, str(_ADDRESSES[next(self._numbers)])),
            folder,
            self.images.puller(cluster.login),
            neighbors,
            more_variables,
            self._forwarder,
            self._say_once,
        )
        self.pods[metadata["uid"]] = (cluster, workload)
        workload.start()

    def _network(self, cluster: ServedCluster) -> ServiceNetwork:
        return ServiceNetwork(cluster.api, cluster.node, self._dial)

    def _dial(self, uid: str, port: int) -> socket.socket:
        if uid not in self.pods:
            raise ConnectionRefusedError("the pod does not run on this machine")
        return self.pods[uid][1].dial(port)


def _annotations(pod: Mapping[str, Any]) -> Mapping[str, str]:
    """The annotations of a pod."""
    return pod["metadata"].get("annotations") or {}


def _hand_over(api: Api, pod: Mapping[str, Any]) -> None:
    """Let kwok play a pod from now on."""
    change(api, pod, {"metadata": {"annotations": {ADMITTED: PLAYED}}})
