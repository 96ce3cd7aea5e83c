"""Amounts of pods and of nodes."""

from __future__ import annotations

from typing import Any

import pytest

from atwork.sandbox.clusters.machines import allocatable
from atwork.sandbox.verify.quantities import defaulted, of_pod, parse


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", 1), ("100m", 0.1), ("1.5", 1.5), ("2Gi", 2 * 2**30), ("512Mi", 512 * 2**20), ("1k", 1000), ("1e3", 1000)],
)
def test_a_quantity_is_read(text: str, amount: float) -> None:
    assert parse(text) == pytest.approx(amount)


def container(cpu: str, **more: Any) -> dict[str, Any]:
    return {"name": cpu, "resources": {"requests": {"cpu": cpu}}, **more}


def test_a_pod_requests_the_larger_of_its_init_and_its_main_containers() -> None:
    sidecar = container("100m", restartPolicy="Always")
    spec = {"initContainers": [sidecar, container("2")], "containers": [container("1"), container("500m")]}
    assert of_pod(spec, "requests") == {"cpu": pytest.approx(2.1)}  # the second init container with the sidecar
    spec["initContainers"] = [container("2"), sidecar]
    assert of_pod(spec, "requests") == {"cpu": pytest.approx(2)}
    spec["initContainers"] = [sidecar]
    assert of_pod(spec, "requests") == {"cpu": pytest.approx(1.6)}


def test_a_limit_range_fills_in_what_is_not_stated() -> None:
    limits = {"type": "Container", "default": {"memory": "256Mi"}, "defaultRequest": {"cpu": "100m", "memory": "128Mi"}}
    spec = {"containers": [{"name": "a"}, {"name": "b", "resources": {"limits": {"memory": "1Gi"}}}]}
    first, second = defaulted(spec, [{"spec": {"limits": [limits]}}])["containers"]
    assert first["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
    # A limit without a request becomes the request before the LimitRange looks.
    assert second["resources"] == {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    assert "resources" not in spec["containers"][0]


@pytest.mark.parametrize(
    ("machine", "cpu", "memory"),
    # https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes: 25 % of 4 GiB, 20 % of 4, 10 % of 8, 6 %
    [
        ("e2-standard-4", "3920m", int((16 - 2.6) * 1024) - 100),
        ("e2-standard-8", "7910m", int((32 - 3.56) * 1024) - 100),
        ("e2-medium", "940m", 3 * 1024 - 100),
    ],
)
def test_gke_reserves_a_part_of_each_node(machine: str, cpu: str, memory: int) -> None:
    result = allocatable(machine)
    assert (result["cpu"], result["memory"]) == (cpu, f"{memory}Mi")
    # Of 93.13 GiB, 10 % for eviction and 6 GiB + 35 % for the system.
    assert parse(result["ephemeral-storage"]) / 2**30 == pytest.approx(93.13 * 0.55 - 6, abs=0.01)
