"""The OAuth client of the Identity-Aware Proxy, where it is your own, in each namespace behind the proxy.

GKE's policy names a Secret of its own namespace. GKE's secret sync makes it from Secret Manager, so that the value
passes through neither the program nor its state (docs/adr/0047-iap-client.md).

Owns: the Kubernetes account that reads the secret, its right to read it, and what the add-on makes the Secret from.
Does not own: the secret in Secret Manager, which bootstrap creates with its value, and the policy (routes.py).

Traps:
- Whoever starts pods in the namespace can read the Secret. It opens no host: the proxy still asks who somebody is.
- The kind SecretSync comes with the cluster's `secret_sync_config`; objects of it are made after that update.
https://cloud.google.com/secret-manager/docs/sync-k8-secrets
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.expected_secrets import ExpectedSecret
from components.gateway import names
from components.gateway.settings import GatewaySettings, IapClientSettings
from components.identity import principal

CLASS_API = "secrets-store.csi.x-k8s.io/v1"
SYNC_API = "secret-sync.gke.io/v1"


@dataclass(frozen=True)
class IapClientRefs:
    """The client, and what the right to read its secret is granted with."""

    settings: IapClientSettings
    project_id: pulumi.Input[str]
    project_number: pulumi.Input[str]
    workload_pool: pulumi.Input[str]


def expected(settings: GatewaySettings | None) -> tuple[ExpectedSecret, ...]:
    """The secret of the client; none where Google manages the client."""
    client = None if settings is None else settings.iap_client
    if client is None:
        return ()
    purpose = f"client secret of the OAuth client {client.id}"
    return (ExpectedSecret(client.secret, purpose, None, (names.IAP_CLIENT,), made_by="bootstrap"),)


def synchronize(
    name: str,
    client: IapClientRefs,
    *,
    namespace: pulumi.Input[str],
    google: pulumi.ResourceOptions,
    cluster: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Declare the Secret of a namespace; returns what a policy that names it depends on."""
    metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {"name": names.IAP_CLIENT, "namespace": namespace}
    account = kubernetes.core.v1.ServiceAccount(
        f"{name}-iap-account", metadata=metadata, automount_service_account_token=False, opts=cluster
    )
    reader = gcp.secretmanager.SecretIamMember(
        f"{name}-iap-reader",
        project=client.project_id,
        secret_id=client.settings.secret,
        role="roles/secretmanager.secretAccessor",
        member=principal(client.project_number, client.workload_pool, namespace, names.IAP_CLIENT),
        opts=google,
    )
    listed = kubernetes.apiextensions.CustomResource(
        f"{name}-iap-class",
        api_version=CLASS_API,
        kind="SecretProviderClass",
        metadata=metadata,
        spec={
            "provider": "gke",
            "parameters": {
                "secrets": pulumi.Output.from_input(client.project_id).apply(
                    lambda project: _versions(project, client.settings.secret)
                )
            },
        },
        opts=cluster,
    )
    sync = kubernetes.apiextensions.CustomResource(
        f"{name}-iap-secret",
        api_version=SYNC_API,
        kind="SecretSync",
        metadata=metadata,
        spec={
            "serviceAccountName": names.IAP_CLIENT,
            "secretProviderClassName": names.IAP_CLIENT,
            "secretObject": {
                "type": "Opaque",
                "data": [{"sourcePath": names.IAP_CLIENT_KEY, "targetKey": names.IAP_CLIENT_KEY}],
            },
        },
        opts=pulumi.ResourceOptions(
            parent=cluster.parent, provider=cluster.provider, depends_on=[account, reader, listed]
        ),
    )
    return [sync]


def _versions(project: str, secret: str) -> str:
    """What the add-on reads, as the YAML text that it expects; JSON is YAML."""
    version = f"projects/{project}/secrets/{secret}/versions/latest"
    return json.dumps([{"resourceName": version, "path": names.IAP_CLIENT_KEY}])
