"""The pods of a restricted cloud, which change something outside ci; a Jenkinsfile of a service cannot reach them.

Owns: the namespace `jenkins-CLOUD`, the account `deployer` that its pods run as, and the account with which Jenkins
starts them.
Does not own: what the deployer may do elsewhere (each environment grants it), and the cloud and credential inside
Jenkins (agent_values.py, credentials.py).

Traps: Jenkins' own account has no right here, because every Jenkinsfile uses it. The token of the second account is no
resource of the program (tokens.py; docs/adr/0003-jenkins-deploy-rights.md).
"""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
import pulumi_kubernetes as kubernetes

from components.identity import acts_as, principal
from components.jenkins import names, rights, traffic
from components.jenkins.target_settings import TargetSettings
from components.namespace import Namespace, NamespaceSettings
from components.registry import RegistryRefs

_HTTPS = (443,)


class DeployTarget(pulumi.ComponentResource):
    """Namespace and accounts of a cloud; pods without a Google account have their own grants on repositories."""

    principal: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: TargetSettings,
        *,
        cloud: str,
        reads: Iterable[str],
        writes: Iterable[str],
        controller_namespace: pulumi.Input[str],
        project_number: pulumi.Input[str],
        workload_pool: pulumi.Input[str],
        registry: RegistryRefs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:deploy:DeployTarget", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = Namespace(
            name,
            NamespaceSettings(quota=settings.quota),
            physical_name=names.target_namespace(cloud),
            opts=child,
        )
        kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata={
                "name": names.DEPLOY_ACCOUNT,
                "namespace": namespace.namespace_name,
                "annotations": acts_as(settings.account),
            },
            automount_service_account_token=False,
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-traffic",
            metadata={"name": "agents", "namespace": namespace.namespace_name},
            spec=traffic.agents(ports=_HTTPS, identity=True),
            opts=child,
        )
        kubernetes.core.v1.ServiceAccount(
            f"{name}-scheduler",
            metadata={"name": names.scheduler_account(cloud), "namespace": controller_namespace},
            automount_service_account_token=False,
            opts=child,
        )
        rights.grant_pods(
            name,
            namespace=namespace.namespace_name,
            account=names.scheduler_account(cloud),
            account_namespace=names.CONTROLLER_NAMESPACE,
            opts=child,
        )
        self.principal = principal(project_number, workload_pool, names.target_namespace(cloud), names.DEPLOY_ACCOUNT)
        # With a Google account, the pods read by the rights of that account, which its own environment grants.
        if settings.account is None:
            for repository in reads:
                registry.grant(f"{name}-reader-{repository}", repository, "reader", self.principal, child)
            for repository in writes:
                registry.grant(f"{name}-writer-{repository}", repository, "writer", self.principal, child)
        self.register_outputs({"principal": self.principal})
