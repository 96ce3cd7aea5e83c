"""The namespaces of builds and tests.

Owns: the namespaces `jenkins-agents` and `jenkins-tests`, the accounts of their pods, the rights of builds on the
registry, and the admission policies: builds do not use the `privileged` Pod Security level of their namespace, and
builds and tests run on the agents' nodes only.
Does not own: Jenkins' right to start pods in `jenkins-agents`, which the chart grants.

Traps: the author of a Jenkinsfile chooses the account of its pods among those of both namespaces, so neither namespace
contains an account that deploys. Tests have no identity in Google Cloud.
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.identity import principal
from components.jenkins import admission, names, rights, traffic
from components.jenkins.registry import Images
from components.jenkins.release import addresses
from components.jenkins.settings import JenkinsSettings
from components.namespace import Namespace, NamespaceSettings
from components.registry import RegistryRefs


class Builders(pulumi.ComponentResource):
    """Namespaces, accounts and rights of build pods and test pods."""

    principal: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: JenkinsSettings,
        *,
        project_number: pulumi.Input[str],
        workload_pool: pulumi.Input[str],
        registry: RegistryRefs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:builders:Builders", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        builds = registry.project_id.apply(
            lambda project: admission.policy_spec(
                Images(addresses(registry, project).docker_hub, settings.images)["buildkit"]
            )
        )
        for key, policy, spec, binding in (
            ("policy", admission.POLICY, builds, admission.binding_spec()),
            (
                "placement",
                admission.PLACEMENT_POLICY,
                admission.placement_spec(settings.agent_pool),
                admission.placement_binding_spec(),
            ),
        ):
            kubernetes.admissionregistration.v1.ValidatingAdmissionPolicy(
                f"{name}-{key}", metadata={"name": policy}, spec=spec, opts=child
            )
            kubernetes.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
                f"{name}-{key}-binding", metadata={"name": policy}, spec=binding, opts=child
            )
        agents = Namespace(
            f"{name}-agents",
            NamespaceSettings(pod_security="privileged", quota=settings.builds.quota),
            physical_name=names.AGENTS_NAMESPACE,
            opts=child,
        )
        tests = Namespace(
            f"{name}-tests",
            NamespaceSettings(pod_security="baseline", quota=settings.test_quota),
            physical_name=names.TESTS_NAMESPACE,
            opts=child,
        )
        for key, namespace, account, identity in (
            ("agents", agents, names.AGENT_ACCOUNT, True),
            ("tests", tests, names.TEST_ACCOUNT, False),
        ):
            kubernetes.core.v1.ServiceAccount(
                f"{name}-{key}-account",
                metadata={"name": account, "namespace": namespace.namespace_name},
                automount_service_account_token=False,
                opts=child,
            )
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-{key}-traffic",
                metadata={"name": "agents", "namespace": namespace.namespace_name},
                spec=traffic.agents(ports=settings.builds.ports, identity=identity),
                opts=child,
            )
        rights.grant_pods(
            f"{name}-tests",
            namespace=tests.namespace_name,
            account=names.CONTROLLER_ACCOUNT,
            account_namespace=names.CONTROLLER_NAMESPACE,
            opts=child,
        )
        self.principal = principal(project_number, workload_pool, names.AGENTS_NAMESPACE, names.AGENT_ACCOUNT)
        registry.grant_builds(name, self.principal, child)
        self.register_outputs({"principal": self.principal})
