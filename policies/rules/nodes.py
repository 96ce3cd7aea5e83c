"""Rules on node pools."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import UNKNOWN, Environment, Resource, on

_POOL = "gcp:container/nodePool:NodePool"


@on("nodes-account", _POOL, source="CIS GKE 5.2.1")
def account(one: Resource, _: Environment) -> Iterator[str]:
    """Nodes run as an account made for them, never as Compute Engine's default one."""
    found = one.get("nodeConfig.serviceAccount", "")
    if found is not UNKNOWN and (not found or str(found).endswith("-compute@developer.gserviceaccount.com")):
        yield "nodeConfig.serviceAccount must be an account of the cluster's own"


@on("nodes-private", _POOL, source="CIS GKE 5.6.5")
def private(one: Resource, _: Environment) -> Iterator[str]:
    """Nodes have no public addresses."""
    yield from one.must("networkConfig.enablePrivateNodes", be=True)


@on("nodes-shielded", _POOL, source="CIS GKE 5.5.6, 5.5.7")
def shielded(one: Resource, _: Environment) -> Iterator[str]:
    """Nodes boot only what is signed, and prove it."""
    for key in ("enableSecureBoot", "enableIntegrityMonitoring"):
        yield from one.must(f"nodeConfig.shieldedInstanceConfig.{key}", be=True)


@on("nodes-metadata", _POOL, source="CIS GKE 5.4.1, 5.4.2")
def metadata(one: Resource, _: Environment) -> Iterator[str]:
    """Pods see their own identity at the metadata server, not the node's."""
    yield from one.must("nodeConfig.workloadMetadataConfig.mode", be="GKE_METADATA")


@on("nodes-managed", _POOL, source="CIS GKE 5.5.1, 5.5.2, 5.5.3")
def managed(one: Resource, _: Environment) -> Iterator[str]:
    """Nodes are repaired and upgraded by GKE and run its own image."""
    for key in ("autoRepair", "autoUpgrade"):
        yield from one.must(f"management.{key}", be=True)
    yield from one.must("nodeConfig.imageType", be="COS_CONTAINERD")


@on("nodes-kubelet", _POOL, source="CIS GKE 3.2.4")
def kubelet(one: Resource, _: Environment) -> Iterator[str]:
    """The kubelet's unauthenticated port is closed."""
    yield from one.must("nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", be="FALSE")
