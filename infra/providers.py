"""The explicit providers. Default providers are switched off, so that nothing is made with ambient credentials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes


def google_bootstrap(project_id: str) -> gcp.Provider:
    """The provider that makes the project and switches its APIs on; it bills calls to nobody's project."""
    return gcp.Provider("gcp-bootstrap", project=project_id, user_project_override=False)


def google(
    project_id: str, region: str, labels: Mapping[str, str], *, after: Sequence[pulumi.Resource]
) -> gcp.Provider:
    """The provider of everything else in the project.

    Calls count in the project that they are about, whose APIs are on, and not in the one that CI's account lives in.
    It depends on `after`, and so does whatever is made through it: no resource races the API that it needs, while
    the project id stays a known value in previews.
    """
    return gcp.Provider(
        "gcp",
        project=project_id,
        region=region,
        default_labels=dict(labels),
        user_project_override=True,
        opts=pulumi.ResourceOptions(depends_on=after),
    )


def google_billing(project_id: str, *, after: Sequence[pulumi.Resource]) -> gcp.Provider:
    """The provider of the budget, whose API has no project: calls count in the project that the budget is about.

    Without it, the API answers 403 to a person, and asks for itself in the project of CI's account.
    """
    return gcp.Provider(
        "gcp-billing",
        project=project_id,
        billing_project=project_id,
        user_project_override=True,
        opts=pulumi.ResourceOptions(depends_on=after),
    )


def cluster(
    name: pulumi.Input[str], endpoint: pulumi.Input[str], *, after: Sequence[pulumi.Resource]
) -> kubernetes.Provider:
    """The provider of the objects inside a cluster, by its DNS endpoint.

    The endpoint is also the identifier: it carries an id that no other cluster ever gets, so that a replaced
    cluster gets all its objects again, and a changed kubeconfig alone replaces nothing.
    """
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=pulumi.Output.all(name, endpoint).apply(lambda args: kubeconfig(*args)),
        cluster_identifier=endpoint,
        enable_server_side_apply=True,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        opts=pulumi.ResourceOptions(depends_on=after),
    )


def kubeconfig(name: str, endpoint: str) -> str:
    """A kubeconfig (JSON) that asks gke-gcloud-auth-plugin for tokens; it holds no secret.

    The DNS endpoint has a certificate of a public authority, so there is no CA in it.
    """
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": f"https://{endpoint}"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [
                {
                    "name": name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "gke-gcloud-auth-plugin",
                            "installHint": "gcloud components install gke-gcloud-auth-plugin",
                            "interactiveMode": "IfAvailable",
                            "provideClusterInfo": True,
                        }
                    },
                }
            ],
        }
    )
