"""Jenkins on the ci cluster: a controller that runs no builds, and a new pod for each build.

Owns: the controller's namespace and home volume, the priority classes, the release of the official Helm chart, and,
through its parts, the namespaces and accounts of builds, tests and deploys.
Does not own: the secrets in Secret Manager, which bootstrap creates first (secrets.py), and the Gateway.

Traps: see controller.py and release.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.delivery import PlatformSource
from components.gateway.iap_client import IapClientRefs, synchronize
from components.identity import principal
from components.jenkins import controller, names, reload, secrets, traffic
from components.jenkins.builders import Builders
from components.jenkins.deploy import DeployTarget
from components.jenkins.job_documents import JobDefinitions
from components.jenkins.registry import Images
from components.jenkins.release import addresses, release
from components.jenkins.settings import JenkinsSettings
from components.priority_classes import Priority, priority_classes
from components.registry import RegistryRefs
from components.release_signing import SigningRefs

_PRIORITIES = {
    "controller": Priority(names.CONTROLLER_PRIORITY, 1_000_000, "PreemptLowerPriority", "Jenkins itself"),
    "agents": Priority(names.AGENT_PRIORITY, 1_000, "Never", "Build pods, which wait for a node and evict nobody"),
}


class Jenkins(pulumi.ComponentResource):
    """The controller, the namespaces of its builds, and the identities that deploy."""

    url: pulumi.Output[str]
    namespace: pulumi.Output[str]
    identities: dict[str, pulumi.Output[str]]
    """IAM members that the pods of each restricted cloud are, by the cloud's name."""
    preview_images: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        settings: JenkinsSettings,
        *,
        project_number: pulumi.Input[str],
        workload_pool: pulumi.Input[str],
        registry: RegistryRefs,
        source: PlatformSource,
        jobs: JobDefinitions,
        signing: SigningRefs | None = None,
        proxies: str | None = None,
        iap_client: IapClientRefs | None = None,
        environments: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:jenkins:Jenkins", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        priorities = priority_classes(name, _PRIORITIES, child)
        namespace = controller.namespace(name, settings, child)
        home = controller.home_volume(name, settings, namespace.namespace_name, self)
        policy = kubernetes.networking.v1.NetworkPolicy(
            f"{name}-controller-traffic",
            metadata={"name": "controller", "namespace": namespace.namespace_name},
            spec=traffic.controller(
                [
                    names.AGENTS_NAMESPACE,
                    names.TESTS_NAMESPACE,
                    *(names.target_namespace(cloud) for cloud in settings.targets()),
                ],
                gateway=settings.gateway is not None,
                proxies=proxies,
            ),
            opts=child,
        )
        reloader = kubernetes.core.v1.ServiceAccount(
            f"{name}-reload-account",
            metadata={"name": reload.ACCOUNT, "namespace": namespace.namespace_name},
            automount_service_account_token=False,
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
        released = (registry.services, registry.charts)
        targets = {
            cloud: DeployTarget(
                f"{name}-{cloud}",
                target,
                cloud=cloud,
                reads=readable[cloud],
                writes=released if cloud == names.PROMOTE_CLOUD else (),
                controller_namespace=namespace.namespace_name,
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
                member=principal(project_number, workload_pool, names.CONTROLLER_NAMESPACE, account),
                opts=child,
            )
            for secret in secrets.expected(settings)
            for account in secret.accounts
        ]
        # The policy for people is among the release's objects.
        synchronized = (
            []
            if iap_client is None
            else synchronize(name, iap_client, namespace=namespace.namespace_name, google=child, cluster=child)
        )
        release(
            name,
            settings,
            iap_client=None if iap_client is None else iap_client.settings,
            namespace=namespace.namespace_name,
            registry=registry,
            source=source,
            jobs=jobs,
            signing=signing,
            environments=environments,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Until the network policy exists, the pod that starts Jenkins reaches no API server and no plugin.
                depends_on=[
                    *priorities,
                    namespace,
                    home,
                    policy,
                    reloader,
                    *readers,
                    *synchronized,
                    builders,
                    *targets.values(),
                ],
            ),
        )
        self.url = pulumi.Output.from_input(settings.url)
        self.namespace = namespace.namespace_name
        self.identities = {cloud: target.principal for cloud, target in targets.items()}
        self.preview_images = registry.project_id.apply(
            lambda project: _store_images(settings, addresses(registry, project).docker_hub)
        )
        self.register_outputs(
            {
                "url": self.url,
                "namespace": self.namespace,
                "identities": self.identities,
                "preview_images": self.preview_images,
            }
        )


def _store_images(settings: JenkinsSettings, mirror: str) -> list[str]:
    """Images of the data stores that services can choose."""
    images = Images(mirror, settings.images)
    return [images[store] for store in settings.stores]


def _readable(settings: JenkinsSettings, registry: RegistryRefs) -> dict[str, tuple[str, ...]]:
    """Repositories that the pods of each cloud read: deploys read released charts, the others read candidates."""
    reads: dict[str, tuple[str, ...]] = dict.fromkeys(settings.targets(), ())
    reads |= {names.deploy_cloud(key): (registry.charts,) for key in settings.deploys}
    if names.PROMOTE_CLOUD in reads:
        reads[names.PROMOTE_CLOUD] = (registry.candidates,)
    if (previews := settings.previews()) is not None:
        reads[names.preview_cloud(previews[0])] = (registry.candidates,)
    return reads
