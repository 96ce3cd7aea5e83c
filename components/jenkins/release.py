"""The release of the official Helm chart.

Traps: the chart is a Release and not a rendered Chart, because outside Helm its lookups are empty and its generated
values change at every preview. The release needs the CRDs of GKE (PodMonitoring, and with a gateway HTTPRoute and its
policies); without them it fails, and no preview shows that.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.delivery import PlatformSource
from components.gateway.settings import IapClientSettings
from components.jenkins.job_documents import JobDefinitions
from components.jenkins.registry import Addresses, Signing
from components.jenkins.settings import JenkinsSettings
from components.jenkins.values import helm_values
from components.registry import RegistryRefs
from components.release_signing import SigningRefs

_TIMEOUT_SECONDS = 900


def release(
    name: str,
    settings: JenkinsSettings,
    *,
    namespace: pulumi.Input[str],
    registry: RegistryRefs,
    source: PlatformSource,
    jobs: JobDefinitions,
    signing: SigningRefs | None,
    environments: Sequence[str],
    iap_client: IapClientSettings | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Declare the release."""
    chart = settings.chart
    kubernetes.helm.v3.Release(
        f"{name}-release",
        name="jenkins",
        namespace=namespace,
        # A repository knows the chart by its name; otherwise the location is the chart.
        chart="jenkins" if chart.source == "repository" else chart.location,
        version=None if chart.source == "path" else chart.version,
        repository_opts={"repo": chart.location} if chart.source == "repository" else None,
        timeout=_TIMEOUT_SECONDS,
        max_history=10,
        values=pulumi.Output.all(registry.project_id, *_named(signing)).apply(
            lambda given: helm_values(
                settings,
                addresses(registry, given[0]),
                source,
                jobs,
                environments,
                Signing.of(given[1:]),
                iap_client=iap_client,
            )
        ),
        opts=opts,
    )


def _named(signing: SigningRefs | None) -> list[pulumi.Output[str]]:
    return [] if signing is None else [signing.version, signing.releases, signing.provenance]


def addresses(registry: RegistryRefs, project: str) -> Addresses:
    """The addresses of the repositories in a project."""
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
