"""Rules on GKE clusters."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import UNKNOWN, Environment, Resource, on

_CLUSTER = "gcp:container/cluster:Cluster"


@on("cluster-private", _CLUSTER, source="CIS GKE 5.6.4, 5.6.5")
def private(one: Resource, _: Environment) -> Iterator[str]:
    """Nodes have no public addresses and the control plane answers on its DNS endpoint alone."""
    yield from one.must("privateClusterConfig.enablePrivateNodes", be=True)
    yield from one.must(
        "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", be=False, hint=" (cluster.break_glass opens it)"
    )


@on("cluster-dataplane", _CLUSTER, source="CIS GKE 5.6.7")
def dataplane(one: Resource, _: Environment) -> Iterator[str]:
    """Network policies are enforced, by Dataplane V2."""
    yield from one.must("datapathProvider", be="ADVANCED_DATAPATH", hint="; it cannot change later")


@on("cluster-workload-identity", _CLUSTER, source="CIS GKE 5.2.2")
def workload_identity(one: Resource, _: Environment) -> Iterator[str]:
    """Pods have identities of their own instead of their node's."""
    if one.lacks("workloadIdentityConfig.workloadPool"):
        yield "workloadIdentityConfig.workloadPool must be PROJECT.svc.id.goog"


@on("cluster-no-default-pool", _CLUSTER, source="CIS GKE 5.2.1; checkov CKV_GCP_123")
def no_default_pool(one: Resource, _: Environment) -> Iterator[str]:
    """The default node pool goes, and no pool is written into the cluster."""
    yield from one.must("removeDefaultNodePool", be=True)
    if one.sets("nodePools"):
        yield "nodePools must be resources of their own: a change of one here replaces the cluster"


@on("cluster-secrets-encrypted", _CLUSTER, source="CIS GKE 5.3.1")
def secrets_encrypted(one: Resource, _: Environment) -> Iterator[str]:
    """Kubernetes Secrets rest under a key of our own."""
    yield from one.must("databaseEncryption.state", be="ENCRYPTED", hint=" (encryption.covers: cluster)")


@on("cluster-binary-authorization", _CLUSTER, source="CIS GKE 5.10.4")
def binary_authorization(one: Resource, _: Environment) -> Iterator[str]:
    """Images are checked as pods are admitted."""
    yield from one.must("binaryAuthorization.evaluationMode", be="PROJECT_SINGLETON_POLICY_ENFORCE")


@on("cluster-hardened", _CLUSTER, source="CIS GKE 4.1.8, 5.5.5, 5.8.1; checkov CKV_GCP_7, CKV_GCP_13, CKV_GCP_71")
def hardened(one: Resource, _: Environment) -> Iterator[str]:
    """No legacy way in, and nodes prove what they booted."""
    yield from one.must("enableLegacyAbac", be=False)
    yield from one.must("masterAuth.clientCertificateConfig.issueClientCertificate", be=False)
    yield from one.must("enableShieldedNodes", be=True)
    yield from one.must(
        "anonymousAuthenticationConfig.mode", be="LIMITED", hint=": only health checks go without a login"
    )


@on("cluster-release-channel", _CLUSTER, source="CIS GKE 5.5.4")
def release_channel(one: Resource, _: Environment) -> Iterator[str]:
    """Versions arrive by a channel and are not pinned by hand."""
    yield from one.must("releaseChannel.channel", be=("RAPID", "REGULAR", "STABLE", "EXTENDED"))


@on("cluster-logging", _CLUSTER, source="CIS GKE 5.7.1")
def logging(one: Resource, _: Environment) -> Iterator[str]:
    """Logs of the system and of workloads are kept."""
    components = one.get("loggingConfig.enableComponents", ())
    if components is UNKNOWN or UNKNOWN in components:
        return
    missing = sorted({"SYSTEM_COMPONENTS", "WORKLOADS"} - set(components))
    if missing:
        yield f"loggingConfig.enableComponents lacks {', '.join(missing)}"


@on("cluster-labels", _CLUSTER, source="checkov CKV_GCP_21")
def labels(one: Resource, _: Environment) -> Iterator[str]:
    """Who answers for a cluster is written on it."""
    for label in ("environment", "owner"):
        if one.lacks(f"resourceLabels.{label}"):
            yield f"resourceLabels.{label} is missing"
