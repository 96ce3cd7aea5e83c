"""Rules for GKE clusters."""

from __future__ import annotations

from collections.abc import Iterator

from components.type_tokens import CLUSTER
from policies.rule import UNKNOWN, CheckedResource, StackContext, resource_rule


@resource_rule("cluster-private", CLUSTER, source="CIS GKE 5.6.4, 5.6.5")
def private(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Nodes have no public addresses, and the control plane is reachable through its DNS endpoint only."""
    yield from cluster.must("privateClusterConfig.enablePrivateNodes", be=True)
    yield from cluster.must(
        "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", be=False, hint=" (cluster.break_glass opens it)"
    )


@resource_rule("cluster-dataplane", CLUSTER, source="CIS GKE 5.6.7")
def dataplane(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Dataplane V2 enforces network policies."""
    yield from cluster.must("datapathProvider", be="ADVANCED_DATAPATH", hint="; it cannot change later")


@resource_rule("cluster-workload-identity", CLUSTER, source="CIS GKE 5.2.2")
def workload_identity(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Pods have their own identities instead of the identity of their node."""
    if cluster.lacks("workloadIdentityConfig.workloadPool"):
        yield "workloadIdentityConfig.workloadPool must be PROJECT.svc.id.goog"


@resource_rule("cluster-no-default-pool", CLUSTER, source="CIS GKE 5.2.1; checkov CKV_GCP_123")
def no_default_pool(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """The default node pool is removed, and no pool is defined inside the cluster resource."""
    yield from cluster.must("removeDefaultNodePool", be=True)
    if cluster.sets("nodePools"):
        yield "nodePools must be separate NodePool resources; a change of a pool here replaces the cluster"


@resource_rule("cluster-secrets-encrypted", CLUSTER, source="CIS GKE 5.3.1")
def secrets_encrypted(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Kubernetes Secrets are encrypted with a customer-managed key."""
    yield from cluster.must("databaseEncryption.state", be="ENCRYPTED", hint="; add cluster to encryption.covers")


@resource_rule("cluster-binary-authorization", CLUSTER, source="CIS GKE 5.10.4")
def binary_authorization(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Binary Authorization checks images when pods are admitted."""
    yield from cluster.must("binaryAuthorization.evaluationMode", be="PROJECT_SINGLETON_POLICY_ENFORCE")


@resource_rule(
    "cluster-hardened", CLUSTER, source="CIS GKE 4.1.8, 5.5.5, 5.8.1; checkov CKV_GCP_7, CKV_GCP_13, CKV_GCP_71"
)
def hardened(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Legacy authentication is off, and nodes verify what they boot."""
    yield from cluster.must("enableLegacyAbac", be=False)
    yield from cluster.must("masterAuth.clientCertificateConfig.issueClientCertificate", be=False)
    yield from cluster.must("enableShieldedNodes", be=True)
    yield from cluster.must(
        "anonymousAuthenticationConfig.mode", be="LIMITED", hint="; only health checks may be anonymous"
    )


@resource_rule("cluster-release-channel", CLUSTER, source="CIS GKE 5.5.4")
def release_channel(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """A release channel chooses the version of the cluster."""
    yield from cluster.must("releaseChannel.channel", be=("RAPID", "REGULAR", "STABLE", "EXTENDED"))


@resource_rule("cluster-logging", CLUSTER, source="CIS GKE 5.7.1")
def logging(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Logs of the system and of workloads are collected."""
    components = cluster.get("loggingConfig.enableComponents", ())
    if components is UNKNOWN or UNKNOWN in components:
        return
    missing = sorted({"SYSTEM_COMPONENTS", "WORKLOADS"} - set(components))
    if missing:
        yield f"loggingConfig.enableComponents lacks {', '.join(missing)}; add what is missing"


@resource_rule("cluster-labels", CLUSTER, source="checkov CKV_GCP_21")
def labels(cluster: CheckedResource, _: StackContext) -> Iterator[str]:
    """Labels name the environment and the owner of a cluster."""
    for label in ("environment", "owner"):
        if cluster.lacks(f"resourceLabels.{label}"):
            yield f"resourceLabels.{label} is missing; add it"
