"""The service account that the nodes of a cluster run as, and what it may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

NODE_ROLES = ("roles/container.defaultNodeServiceAccount",)
"""Logging, metrics and little else. https://cloud.google.com/kubernetes-engine/docs/how-to/service-accounts"""

STREAMING_ROLE = "roles/serviceusage.serviceUsageConsumer"
"""What nodes need for image streaming, in their own project and in the project that holds the images.
https://cloud.google.com/kubernetes-engine/docs/how-to/image-streaming#requirements"""

STREAMING_SERVICES = ("containerfilesystem.googleapis.com",)
"""APIs of image streaming, in both projects."""


@dataclass(frozen=True)
class NodeAccount:
    """The account, and the grants that must exist before the first node starts."""

    email: pulumi.Output[str]
    roles: Sequence[pulumi.Resource]


def node_account_id(physical_name: str) -> str:
    """The id of the nodes' service account, 30 characters at most."""
    return f"{physical_name[:24]}-nodes"


def node_account(
    name: str,
    *,
    physical_name: str,
    project_id: pulumi.Input[str],
    image_streaming: bool,
    opts: pulumi.ResourceOptions,
) -> NodeAccount:
    """Create the account and its roles in the project."""
    account = gcp.serviceaccount.Account(
        f"{name}-nodes",
        account_id=node_account_id(physical_name),
        display_name=f"GKE nodes of {physical_name}",
        opts=opts,
    )
    roles = [
        gcp.projects.IAMMember(
            f"{name}-nodes-{role.rpartition('.')[2]}",
            project=project_id,
            role=role,
            member=account.member,
            opts=opts,
        )
        for role in (*NODE_ROLES, *((STREAMING_ROLE,) if image_streaming else ()))
    ]
    return NodeAccount(account.email, roles)
