"""Jenkins on the ci cluster: a controller that builds nothing itself, and a new pod for each build.

Owns: the controller's namespace and home volume, the priority classes, the release of the official Helm chart, and,
by its parts, where builds, tests and deploys run.
Does not own: the secrets in Secret Manager, which bootstrap makes before (secrets.py), and the Gateway.

Traps: the chart's own volume is deleted with the release, so the volume is ours; a namespace takes its volumes along,
so what protects the one protects the other. The chart is a Release and not a rendered Chart: outside Helm its lookups
are empty and what it generates changes at every preview. The release needs the CRDs that GKE brings (PodMonitoring,
and with a gateway HTTPRoute and its policies); where they are missing it fails, and no preview says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.delivery import PlatformSource
from components.identity import principal
from components.jenkins import names, secrets, sizes, traffic
from components.jenkins.builders import Builders
from components.jenkins.deploy import DeployTarget
from components.jenkins.jobs import Job
from components.jenkins.registry import Addresses
from components.jenkins.settings import ChartSettings, ControllerSettings, JenkinsSettings
from components.jenkins.values import helm_values
from components.namespace import ContainerDefaultSettings, Namespace, NamespaceSettings, QuotaSettings
from components.registry import RegistryRefs

_RELEASE_SECONDS = 900


class Jenkins(pulumi.ComponentResource):
    """The controller, where its builds run, and the identities that deploy."""

    url: pulumi.Output[str]
    namespace: pulumi.Output[str]
    identities: dict[str, pulumi.Output[str]]
    """As whom the pods of each cloud act, by the cloud's name."""

    def __init__(
        self,
        name: str,
        settings: JenkinsSettings,
        *,
        project_number: pulumi.Input[str],
        workload_pool: pulumi.Input[str],
        registry: RegistryRefs,
        source: PlatformSource,
        jobs: Sequence[Job] = (),
        environments: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:jenkins:Jenkins", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        priorities = [
            kubernetes.scheduling.v1.PriorityClass(
                f"{name}-priority-{key}",
                metadata={"name": priority_class},
                value=value,
                preemption_policy=preemption,
                description=description,
                opts=child,
            )
            for key, priority_class, value, preemption, description in (
                ("controller", names.CONTROLLER_PRIORITY, 1_000_000, "PreemptLowerPriority", "Jenkins itself"),
                ("agents", names.AGENT_PRIORITY, 1_000, "Never", "Build pods, which wait for a node and evict nobody"),
            )
        ]
        controller = Namespace(
            f"{name}-controller",
            controller_namespace(settings.controller),
            physical_name=names.CONTROLLER_NAMESPACE,
            protect=settings.protect_home,
            retain=settings.retain_home,
            opts=child,
        )
        home = kubernetes.core.v1.PersistentVolumeClaim(
            f"{name}-home",
            metadata={
                "name": names.HOME_CLAIM,
                "namespace": controller.namespace_name,
                # The disk is made when the pod that mounts it is placed, so waiting for it would never end.
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={
                "access_modes": ["ReadWriteOnce"],
                "storage_class_name": settings.controller.storage_class,
                "resources": {"requests": {"storage": settings.controller.disk}},
            },
            opts=pulumi.ResourceOptions(
                parent=self, protect=settings.protect_home, retain_on_delete=settings.retain_home
            ),
        )
        way = kubernetes.networking.v1.NetworkPolicy(
            f"{name}-controller-traffic",
            metadata={"name": "controller", "namespace": controller.namespace_name},
            spec=traffic.controller(
                [
                    names.AGENTS_NAMESPACE,
                    names.TESTS_NAMESPACE,
                    *(names.target_namespace(cloud) for cloud in settings.targets()),
                ],
                gateway=settings.gateway is not None,
            ),
            opts=child,
        )
        builders = Builders(
            f"{name}-builders",
            settings,
            project_number=project_number,
            workload_pool=workload_pool,
            registry=registry,
            opts=child,
        )
        readable = _readable(settings, registry)
        targets = {
            cloud: DeployTarget(
                f"{name}-{cloud}",
                target,
                cloud=cloud,
                reads=readable[cloud],
                controller_namespace=controller.namespace_name,
                project_number=project_number,
                workload_pool=workload_pool,
                registry=registry,
                opts=child,
            )
            for cloud, target in settings.targets().items()
        }
        readers = [
            gcp.secretmanager.SecretIamMember(
                f"{name}-{secret.name.removeprefix('jenkins-')}-reader",
                project=registry.project_id,
                secret_id=secret.name,
                role="roles/secretmanager.secretAccessor",
                member=principal(project_number, workload_pool, secret.namespace, account),
                opts=child,
            )
            for secret in secrets.expected(settings)
            for account in secret.accounts
        ]
        kubernetes.helm.v3.Release(
            f"{name}-release",
            name="jenkins",
            namespace=controller.namespace_name,
            chart=_chart(settings.chart),
            version=None if settings.chart.source == "path" else settings.chart.version,
            repository_opts={"repo": settings.chart.location} if settings.chart.source == "repository" else None,
            timeout=_RELEASE_SECONDS,
            max_history=10,
            values=registry.project_id.apply(
                lambda project: helm_values(settings, _addresses(registry, project), source, jobs, environments)
            ),
            opts=pulumi.ResourceOptions(
                # The policy too: in a closed namespace nothing that starts Jenkins reaches the API server or a plugin.
                parent=self,
                depends_on=[*priorities, controller, home, way, *readers, builders, *targets.values()],
            ),
        )
        self.url = pulumi.Output.from_input(settings.url)
        self.namespace = controller.namespace_name
        self.identities = {cloud: target.principal for cloud, target in targets.items()}
        self.register_outputs({"url": self.url, "namespace": self.namespace, "identities": self.identities})


def controller_namespace(size: ControllerSettings) -> NamespaceSettings:
    """Room for the controller twice and the reloader next to it, whatever its size.

    Its scratch disk holds the unpacked core and the plugins.
    """
    cpu = max(16, 2 * sizes.millis(size.cpu) // 1000 + 2)
    memory = max(64, 2 * sizes.mebibytes(size.memory) // 1024 + 4)
    return NamespaceSettings(
        quota=QuotaSettings(cpu=str(cpu), memory=f"{memory}Gi", scratch="100Gi", pods=10, volumes=2),
        container_defaults=ContainerDefaultSettings(scratch="5Gi"),
    )


def _readable(settings: JenkinsSettings, registry: RegistryRefs) -> dict[str, tuple[str, ...]]:
    """What the pods of each cloud read: deploys released charts, previews candidates, the platform itself nothing."""
    reads: dict[str, tuple[str, ...]] = dict.fromkeys(settings.targets(), ())
    reads |= {names.deploy_cloud(key): (registry.charts,) for key in settings.deploys}
    if (previews := settings.previews()) is not None:
        reads[names.preview_cloud(previews[0])] = (registry.candidates,)
    return reads


def _chart(chart: ChartSettings) -> str:
    """A repository is asked for the chart by its name; elsewhere the location is the chart."""
    return "jenkins" if chart.source == "repository" else chart.location


def _addresses(registry: RegistryRefs, project: str) -> Addresses:
    return Addresses.at(
        registry.location,
        project,
        {
            "candidates": registry.candidates,
            "services": registry.services,
            "charts": registry.charts,
            "cache": registry.cache,
            "docker_hub": registry.docker_hub,
        },
    )
