"""The controller's namespace and its home volume.

Traps: the chart deletes its own volume with the release, so this program declares the volume. A deleted namespace
deletes its volumes, so one setting protects both.
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.gateway import hosts
from components.jenkins import gateway_values, names, sizes
from components.jenkins.controller_settings import ControllerSettings
from components.jenkins.settings import JenkinsSettings
from components.namespace import ContainerDefaultSettings, Namespace, NamespaceSettings, QuotaSettings


def controller_namespace(size: ControllerSettings) -> NamespaceSettings:
    """Settings of the namespace: room for two controllers and the reloader, whatever their size.

    The scratch disk holds the unpacked core and the plugins.
    """
    cpu = max(16, 2 * sizes.millis(size.cpu) // 1000 + 2)
    memory = max(64, 2 * sizes.mebibytes(size.memory) // 1024 + 4)
    return NamespaceSettings(
        quota=QuotaSettings(cpu=str(cpu), memory=f"{memory}Gi", scratch="100Gi", pods=10, volumes=2),
        container_defaults=ContainerDefaultSettings(scratch="5Gi"),
    )


def namespace(name: str, settings: JenkinsSettings, opts: pulumi.ResourceOptions) -> Namespace:
    """Declare the namespace."""
    return Namespace(
        f"{name}-controller",
        controller_namespace(settings.controller),
        physical_name=names.CONTROLLER_NAMESPACE,
        labels=hosts.NAMESPACE_LABELS if settings.gateway is not None else None,
        annotations=None
        if settings.gateway is None
        else hosts.namespace_annotations(settings.hostname, *gateway_values.services(settings.gateway)),
        protect=settings.protect_home,
        retain=settings.retain_home,
        opts=opts,
    )


def home_volume(
    name: str, settings: JenkinsSettings, namespace_name: pulumi.Input[str], parent: pulumi.Resource
) -> kubernetes.core.v1.PersistentVolumeClaim:
    """Declare the home volume."""
    return kubernetes.core.v1.PersistentVolumeClaim(
        f"{name}-home",
        metadata={
            "name": names.HOME_CLAIM,
            "namespace": namespace_name,
            # The disk is created when a pod that mounts it is scheduled, so waiting for it would never end.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={
            "access_modes": ["ReadWriteOnce"],
            "storage_class_name": settings.controller.storage_class,
            "resources": {"requests": {"storage": settings.controller.disk}},
        },
        opts=pulumi.ResourceOptions(
            parent=parent, protect=settings.protect_home, retain_on_delete=settings.retain_home
        ),
    )
