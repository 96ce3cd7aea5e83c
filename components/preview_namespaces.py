"""Namespaces in which builds of pull requests run for a while, a fixed number of them, handed out like parking spaces.

Owns: the namespaces `preview-1` to `preview-N` with all that makes one safe, the account `deployer` in each, who may
act as it, who may give a build its host, and what is refused at admission.
Does not own: what runs there and for how long (delivery/vars/previewService.groovy), the Google account that ci acts as
(components/access.py), certificate and record of hosts (components/gateway/previews.py).

Traps:
- RBAC knows no prefixes: a right to make `pr-*` is a right to make any (docs/adr/0007-preview-namespaces.md).
- A chart of a pull request is unreviewed and may name any namespace. ci therefore installs it as the account of the one
  namespace that it was given, which has no rights in the others. Its own rights in them are for routes and their
  policies, which a chart must not write: without its policy, a build would be public (docs/adr/0038-preview-hosts.md).
- Candidates may be pulled by every node of the cluster; a policy keeps them out of all namespaces but these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field

from components import namespace_deployer, preview_admission
from components.gateway import hosts
from components.gateway.iap_client import IapClientRefs, synchronize
from components.namespace import Namespace, NamespaceSettings, QuotaSettings
from components.settings import Email, Settings
from components.tenant import TenantTrafficSettings, allow, policies

ROLE = "atwork-preview"
HOST_ROLE = "atwork-preview-host"

_RBAC = "rbac.authorization.k8s.io"
_ALL = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
_READ = ["get", "list", "watch"]

RULES: list[kubernetes.rbac.v1.PolicyRuleArgsDict] = [
    {
        "api_groups": [""],
        "resources": ["configmaps", "pods", "secrets", "serviceaccounts", "services"],
        "verbs": _ALL,
    },
    {"api_groups": [""], "resources": ["events", "pods/log", "pods/status", "endpoints"], "verbs": _READ},
    {"api_groups": [""], "resources": ["pods/exec", "pods/portforward"], "verbs": ["create", "get"]},
    {"api_groups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": _ALL},
    {"api_groups": ["apps"], "resources": ["replicasets", "controllerrevisions"], "verbs": _READ},
    {"api_groups": ["batch"], "resources": ["cronjobs", "jobs"], "verbs": _ALL},
    {"api_groups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": _ALL},
    {"api_groups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": _ALL},
    {"api_groups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": _ALL},
    {"api_groups": ["monitoring.googleapis.com"], "resources": ["podmonitorings"], "verbs": _ALL},
    {"api_groups": ["networking.gke.io"], "resources": ["healthcheckpolicies"], "verbs": _ALL},
]
"""What a chart may bring. Not the built-in `edit`: a route would take a host's traffic, a role would hand rights on."""

HOST_RULES: list[kubernetes.rbac.v1.PolicyRuleArgsDict] = [
    {
        "api_groups": [group],
        "resources": [resource],
        "verbs": ["create", "patch", "deletecollection"],
    }
    for group, resource in (("gateway.networking.k8s.io", "httproutes"), ("networking.gke.io", "gcpbackendpolicies"))
]
"""What the platform brings itself where builds have hosts (delivery/vars/previews.groovy)."""


class PreviewNamespaceSettings(Settings):
    """Preview namespaces of an environment."""

    count: Annotated[int, Field(ge=1, le=50)] = 4
    """How many builds of pull requests run at one time."""

    size: NamespaceSettings = NamespaceSettings(quota=QuotaSettings(cpu="2", memory="6Gi", scratch="30Gi", pods=20))
    """Pod Security level, quota and default limits of each."""

    groups: tuple[Email, ...] = ()
    """Google Groups that may look, try things and forward ports in them."""

    internet_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """TCP ports at which they reach the internet; none by default, because nobody has reviewed what runs there."""

    def names(self) -> tuple[str, ...]:
        """The namespaces."""
        return tuple(f"preview-{number}" for number in range(1, self.count + 1))


class PreviewNamespaces(pulumi.ComponentResource):
    """The namespaces, and who may use them."""

    namespaces: list[pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: PreviewNamespaceSettings,
        *,
        deployer: pulumi.Input[str],
        candidates: pulumi.Input[str],
        database_range: str,
        owner: str,
        domain: str | None = None,
        iap_client: IapClientRefs | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:preview_namespaces:PreviewNamespaces", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        preview_admission.make(
            name, candidates=candidates, kept=_platform_policies(settings, database_range), opts=child
        )
        if iap_client is not None:
            preview_admission.keep_client(name, child)
        roles = [kubernetes.rbac.v1.ClusterRole(f"{name}-role", metadata={"name": ROLE}, rules=RULES, opts=child)]
        if domain is not None:
            roles.append(
                kubernetes.rbac.v1.ClusterRole(
                    f"{name}-host-role", metadata={"name": HOST_ROLE}, rules=HOST_RULES, opts=child
                )
            )
        self.namespaces = [
            PreviewNamespace(
                f"{name}-{namespace}",
                settings,
                physical_name=namespace,
                deployer=deployer,
                database_range=database_range,
                owner=owner,
                domain=domain,
                iap_client=iap_client,
                opts=pulumi.ResourceOptions(parent=self, depends_on=roles),
            ).namespace_name
            for namespace in settings.names()
        ]
        self.register_outputs({"namespaces": self.namespaces})


class PreviewNamespace(pulumi.ComponentResource):
    """One namespace."""

    namespace_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: PreviewNamespaceSettings,
        *,
        physical_name: str,
        deployer: pulumi.Input[str],
        database_range: str,
        owner: str,
        domain: str | None,
        iap_client: IapClientRefs | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("atwork:preview_namespaces:PreviewNamespace", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = {"owner": owner, preview_admission.LABEL: "true"}
        namespace = Namespace(
            name,
            settings.size,
            physical_name=physical_name,
            labels={**labels, **(hosts.NAMESPACE_LABELS if domain is not None else {})},
            annotations=None if domain is None else hosts.preview_annotations(domain),
            opts=child,
        )
        self.namespace_name = namespace.namespace_name
        inside = namespace_deployer.make(name, namespace=self.namespace_name, acting=deployer, opts=child)
        people: Sequence[kubernetes.rbac.v1.SubjectArgsDict] = [
            {"kind": "Group", "name": group, "api_group": _RBAC} for group in settings.groups
        ]
        kubernetes.rbac.v1.RoleBinding(
            f"{name}-preview-binding",
            metadata={"name": "preview", "namespace": self.namespace_name},
            role_ref={"api_group": _RBAC, "kind": "ClusterRole", "name": ROLE},
            subjects=[inside, *people],
            opts=child,
        )
        if domain is not None:
            kubernetes.rbac.v1.RoleBinding(
                f"{name}-host-binding",
                metadata={"name": "host", "namespace": self.namespace_name},
                role_ref={"api_group": _RBAC, "kind": "ClusterRole", "name": HOST_ROLE},
                subjects=[{"kind": "User", "name": deployer, "api_group": _RBAC}],
                opts=child,
            )
        if iap_client is not None:
            synchronize(name, iap_client, namespace=self.namespace_name, google=child, cluster=child)
        exposed = _traffic(settings, gateway=domain is not None)
        allow(name, exposed, database_range, namespace=self.namespace_name, opts=child)
        self.register_outputs({"namespace_name": self.namespace_name})


def _traffic(settings: PreviewNamespaceSettings, *, gateway: bool = False) -> TenantTrafficSettings:
    return TenantTrafficSettings(gateway=gateway, databases=False, internet_ports=settings.internet_ports)


def _platform_policies(settings: PreviewNamespaceSettings, database_range: str) -> list[str]:
    """Names of the network policies that a preview namespace must leave alone."""
    return ["default-deny", "allow-dns", *policies(_traffic(settings), database_range)]
