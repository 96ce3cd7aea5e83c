"""Every version and image that the platform pins outside Python: the one file to edit for an upgrade.

Images are named by tag; a digest may follow (`name:tag@sha256:...`) and then wins. An upgrade of Jenkins changes the
chart, the controller's image and the plugins together: the chart names the core it was tested with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

JENKINS_CHART_REPOSITORY = "https://charts.jenkins.io"
"""The official chart's own repository."""

JENKINS_CHART = "5.9.53"
"""Its Chart.yaml of August 2026; appVersion 2.568.2."""

CHART_PLUGINS = (
    # The chart's own controller.installPlugins, repeated so that they are pinned here too.
    "kubernetes:4540.v612369217f87",
    "workflow-aggregator:608.v67378e9d3db_1",
    "git:5.10.1",
    "configuration-as-code:2115.vf6de120eef70",
)
"""Plugins that the chart cannot run without."""

PLUGINS = (
    # Jenkins' plugin bill of materials (github.com/jenkinsci/bom) that has the chart's kubernetes plugin.
    "job-dsl:1.93",  # the organization folder and the platform folder
    "github-branch-source:1983.vfa_27ed961853",  # repositories and pull requests become jobs
    "basic-branch-build-strategies:317.v85b_331d6cc42",  # tags are built when they are new, not when they are found
    "pipeline-groovy-lib:798.v5cc688825312",  # the shared library
    "pipeline-utility-steps:3.810.va_7672d206740",  # readYaml, readJSON in the library
    "pipeline-graph-view:980.vb_db_0b_e5f683c",  # the view of a build's stages
    "matrix-auth:3.3",  # who may do what
    "oic-auth:4.718.ve731df6ca_88a_",  # login
    "authorize-project:2.0.0",  # builds that a person starts have that person's rights
    "slack:795.v4b_9705b_e6d47",  # one thread for each build
    "lockable-resources:1539.v4db_b_fc1cc115",  # one deploy of a service at a time
    "junit:1418.v67a_81935603c",  # test reports
    "timestamper:1.30",  # times in logs
    "build-timeout:1.40",  # no build hangs for ever
    "prometheus:856.vc9e3d6e4b_b_9e",  # metrics
)
"""Plugins in addition to the chart's own; no plugin is in both lists (the chart refuses to render then)."""

IMAGES = {
    # Chart 5.9.53, values.yaml: the core, agent and reloader that it was released with.
    "controller": "jenkins/jenkins:2.568.2-jdk21",
    "agent": "jenkins/inbound-agent:3385.vf1123fb_515da_-1",
    "reloader": "kiwigrid/k8s-sidecar:2.10.1",
    # hub.docker.com/r/moby/buildkit: the rootless variant runs as uid 1000.
    "buildkit": "moby/buildkit:v0.34.2-rootless",
    # hub.docker.com/r/alpine/helm: Helm 3, whose options the deploy job uses.
    "helm": "alpine/helm:3.22.0",
    # github.com/google/go-containerregistry: `debug` is the variant with a shell, without which no step runs in it.
    "crane": "gcr.io/go-containerregistry/crane/debug:v0.20.6",
    # hub.docker.com/r/google/cloud-sdk: the small variant; kubectl and its plugin are not in it and not needed.
    "gcloud": "google/cloud-sdk:584.0.0-alpine",
    # github.com/pulumi/pulumi-docker-containers: the engine of tools/engine, with Python, git, make and Google's plugin
    # for clusters; the variant that is not root runs as uid 1000.
    "pulumi": "pulumi/pulumi:3.256.0-nonroot",
    # Docker official images of the data stores that tests ask for; the same majors as Cloud SQL offers.
    "postgres": "postgres:18.4-alpine",
    "redis": "redis:8.6.7-alpine",
    "mysql": "mysql:8.4.7",
}
"""Images by role. Names without a host are Docker Hub's and are pulled through the registry's mirror."""

CLOUD_SQL_PROXY = "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.28.0"
"""What psql connects through in Jobs that give rights in databases; gcr.io answers without the internet."""


@dataclass(frozen=True)
class Floor:
    """The oldest version of an image that may be pinned, and why."""

    version: str
    reason: str


FLOORS: Mapping[str, Floor] = {
    "buildkit": Floor(
        "0.31.2",
        "0.28.1: CVE-2026-33747 and CVE-2026-33748, a build writes and reads files outside of its own; "
        "0.31.1: GHSA-7236-3392-c5c6; 0.31.2: CVE-2026-15792, a build stops the daemon",
    ),
    "helm": Floor(
        "3.20.2", "CVE-2026-35206: `helm pull --untar`, which the deploy job runs, unpacks into the current folder"
    ),
    "postgres": Floor("18.4", "CVE-2026-6473: a size that overflows; ten more in the release notes of 18.4"),
    "redis": Floor("8.6.5", "8.6.3: CVE-2026-23479, use after free; 8.6.5: CVE-2026-12087; both let clients run code"),
}
"""By the role of the image. Postgres and Redis fix older series too: change the floor with the series."""
