"""Rules for node pools."""

from __future__ import annotations

from collections.abc import Iterator

from components.type_tokens import NODE_POOL
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule


@resource_rule("nodes-account", NODE_POOL, source="CIS GKE 5.2.1")
def account(pool: CheckedResource, _: StackContext) -> Iterator[str]:
    """Nodes run as a dedicated service account, never as the default account of Compute Engine."""
    email = pool.get("nodeConfig.serviceAccount", "")
    if email is not UNKNOWN and (not email or str(email).endswith("-compute@developer.gserviceaccount.com")):
        yield "nodeConfig.serviceAccount must be a service account that only the nodes of this cluster use"


@resource_rule("nodes-private", NODE_POOL, source="CIS GKE 5.6.5")
def private(pool: CheckedResource, _: StackContext) -> Iterator[str]:
    """Nodes have no public addresses."""
    yield from pool.must("networkConfig.enablePrivateNodes", be=True)


@resource_rule("nodes-shielded", NODE_POOL, source="CIS GKE 5.5.6, 5.5.7")
def shielded(pool: CheckedResource, _: StackContext) -> Iterator[str]:
    """Nodes boot only signed software and verify its integrity."""
    for key in ("enableSecureBoot", "enableIntegrityMonitoring"):
        yield from pool.must(f"nodeConfig.shieldedInstanceConfig.{key}", be=True)


@resource_rule("nodes-metadata", NODE_POOL, source="CIS GKE 5.4.1, 5.4.2")
def metadata(pool: CheckedResource, _: StackContext) -> Iterator[str]:
    """The metadata server gives pods their own identity, not the identity of the node."""
    yield from pool.must("nodeConfig.workloadMetadataConfig.mode", be="GKE_METADATA")


@resource_rule("nodes-managed", NODE_POOL, source="CIS GKE 5.5.1, 5.5.2, 5.5.3")
def managed(pool: CheckedResource, _: StackContext) -> Iterator[str]:
    """GKE repairs and upgrades nodes, which run Container-Optimized OS."""
    for key in ("autoRepair", "autoUpgrade"):
        yield from pool.must(f"management.{key}", be=True)
    yield from pool.must("nodeConfig.imageType", be="COS_CONTAINERD")


@resource_rule("nodes-kubelet", NODE_POOL, source="CIS GKE 3.2.4")
def kubelet(pool: CheckedResource, _: StackContext) -> Iterator[str]:
    """The unauthenticated port of the kubelet is closed."""
    yield from pool.must("nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled", be="FALSE")
