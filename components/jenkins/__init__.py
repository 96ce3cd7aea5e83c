"""Jenkins on the ci cluster: a controller that builds nothing itself, and a new pod for each build.

Owns: its namespaces, the volume with its home, the service accounts of the pods and what they may write in the
registry, and the release of the official Helm chart.
Does not own: the secrets that the release mounts (`jenkins-admin`, `jenkins-oidc`) and that pipelines read
(`github-app`, `slack-token`): they come from outside, for a value given here would rest in state and cluster.

Traps: the chart's own claim is deleted with the release, so the volume is ours. `helm.v3.Release` and not `Chart`:
rendered outside Helm, the admin password changes at every preview.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.jenkins import values
from components.jenkins.settings import JenkinsSettings
from components.namespace import Namespace, NamespaceSettings
from components.registry import RegistryRefs

_HTTP = 8080
_LOAD_BALANCERS = ("35.191.0.0/16", "130.211.0.0/22")


class Jenkins(pulumi.ComponentResource):
    """The controller, its agents, and the identities that deploy."""

    url: pulumi.Output[str]
    deployers: dict[str, pulumi.Output[str]]

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
        super().__init__("atwork:jenkins:Jenkins", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self._pool = pulumi.Output.format(
            "principal://iam.googleapis.com/projects/{0}/locations/global/workloadIdentityPools/{1}/subject/ns",
            project_number,
            workload_pool,
        )
        controller = Namespace(
            f"{name}-controller", NamespaceSettings(), physical_name=values.NAMESPACE, internet=True, opts=child
        )
        # Rootless BuildKit needs an unconfined seccomp profile, which only this level admits.
        agents = Namespace(
            f"{name}-agents",
            NamespaceSettings(
                pod_security="privileged",
                quota={"requests.cpu": "100", "requests.memory": "400Gi", "pods": str(2 * settings.max_agents)},
            ),
            physical_name=values.AGENTS_NAMESPACE,
            internet=True,
            opts=child,
        )
        self._traffic(name, controller, agents)
        self._agent_account(name, agents, registry)
        home = self._home(name, settings, controller)
        self.deployers = {environment: self._deployer(name, environment) for environment in settings.deploys}
        kubernetes.helm.v3.Release(
            f"{name}-release",
            name="jenkins",
            namespace=controller.namespace_name,
            timeout=900,
            values=registry.project_id.apply(
                lambda project: values.helm_values(
                    settings, registry_host=f"{registry.location}-docker.pkg.dev", registry_project=project
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[home, agents, controller]),
            chart=settings.chart.location if settings.chart.source != "repository" else "jenkins",
            version=settings.chart.version if settings.chart.source != "path" else None,
            repository_opts={"repo": settings.chart.location} if settings.chart.source == "repository" else None,
        )
        self.url = pulumi.Output.from_input(f"https://{settings.hostname}")
        self.register_outputs({"url": self.url, "deployers": self.deployers})

    def _home(
        self, name: str, settings: JenkinsSettings, controller: Namespace
    ) -> kubernetes.core.v1.PersistentVolumeClaim:
        return kubernetes.core.v1.PersistentVolumeClaim(
            f"{name}-home",
            metadata={"name": values.HOME_CLAIM, "namespace": controller.namespace_name},
            spec={
                "access_modes": ["ReadWriteOnce"],
                "storage_class_name": "standard-rwo",
                "resources": {"requests": {"storage": settings.home_size}},
            },
            opts=pulumi.ResourceOptions(
                parent=self, protect=settings.protect_home, retain_on_delete=settings.protect_home
            ),
        )

    def _agent_account(self, name: str, agents: Namespace, registry: RegistryRefs) -> None:
        child = pulumi.ResourceOptions(parent=self)
        kubernetes.scheduling.v1.PriorityClass(
            f"{name}-agents-priority",
            metadata={"name": values.PRIORITY_CLASS},
            value=1000,
            description="Build pods, which give way to the controller",
            opts=child,
        )
        kubernetes.core.v1.ServiceAccount(
            f"{name}-agents-account",
            metadata={"name": values.AGENT_ACCOUNT, "namespace": agents.namespace_name},
            automount_service_account_token=False,
            opts=child,
        )
        for repository in (registry.candidates, registry.services, registry.charts, registry.cache):
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-agents-writer-{repository}",
                project=registry.project_id,
                location=registry.location,
                repository=repository,
                role="roles/artifactregistry.writer",
                member=self._principal(values.AGENTS_NAMESPACE, values.AGENT_ACCOUNT),
                opts=child,
            )

    def _deployer(self, name: str, environment: str) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        namespace = Namespace(
            f"{name}-deploy-{environment}",
            NamespaceSettings(),
            physical_name=values.deploy_namespace(environment),
            internet=True,
            opts=child,
        )
        kubernetes.core.v1.ServiceAccount(
            f"{name}-deploy-{environment}-account",
            metadata={"name": values.deploy_account(environment), "namespace": namespace.namespace_name},
            automount_service_account_token=False,
            opts=child,
        )
        return self._principal(values.deploy_namespace(environment), values.deploy_account(environment))

    def _principal(self, namespace: str, account: str) -> pulumi.Output[str]:
        return pulumi.Output.format("{0}/{1}/sa/{2}", self._pool, namespace, account)

    def _traffic(self, name: str, controller: Namespace, agents: Namespace) -> None:
        """People and agents reach the controller; agents reach the controller alone."""
        child = pulumi.ResourceOptions(parent=self)
        agents_peer: kubernetes.networking.v1.NetworkPolicyPeerArgsDict = {
            "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": values.AGENTS_NAMESPACE}}
        }
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-controller-ingress",
            metadata={"name": "controller", "namespace": controller.namespace_name},
            spec={
                "pod_selector": {},
                "policy_types": ["Ingress"],
                "ingress": [
                    {
                        "from_": [agents_peer, *({"ip_block": {"cidr": block}} for block in _LOAD_BALANCERS)],
                        "ports": [{"port": _HTTP, "protocol": "TCP"}],
                    }
                ],
            },
            opts=child,
        )
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-agents-egress",
            metadata={"name": "to-controller", "namespace": agents.namespace_name},
            spec={
                "pod_selector": {},
                "policy_types": ["Egress"],
                "egress": [
                    {
                        "to": [
                            {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": values.NAMESPACE}}}
                        ],
                        "ports": [{"port": _HTTP, "protocol": "TCP"}],
                    }
                ],
            },
            opts=child,
        )
