"""Logs of pods and commands in them, with Kubernetes' own client."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from kubernetes.client import ApiClient, Configuration, CoreV1Api
from kubernetes.config.kube_config import load_kube_config_from_dict
from kubernetes.stream import stream

_LONGEST_SECONDS = 120


def log(kubeconfig: str, namespace: str, pod: str) -> str:
    """What a pod has printed."""
    with _connected(kubeconfig) as api:
        return str(api.read_namespaced_pod_log(pod, namespace))


def execute(kubeconfig: str, namespace: str, pod: str, *words: str, **options: Any) -> tuple[int, str]:
    """The exit code and the output of a command in a pod; options are those of the client, as `container`."""
    wanted = {"command": list(words), "stdout": True, "stderr": True, "_preload_content": False, **options}
    with _connected(kubeconfig) as api:
        session = stream(api.connect_get_namespaced_pod_exec, pod, namespace, **wanted)
        session.run_forever(timeout=_LONGEST_SECONDS)
        code, output = session.returncode, session.read_all()
        session.sock.shutdown()  # `close` does nothing after the server has closed the connection
        return code, output


@contextmanager
def _connected(kubeconfig: str) -> Generator[CoreV1Api]:
    settings: Any = Configuration()
    load_kube_config_from_dict(json.loads(kubeconfig), client_configuration=settings, persist_config=False)
    settings.proxy = None
    with ApiClient(settings) as client:
        yield CoreV1Api(client)
        client.rest_client.pool_manager.clear()
