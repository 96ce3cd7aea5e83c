"""A Job that runs SQL once in a database of Cloud SQL, as the Google account of the Job's service account.

The client connects to Cloud SQL's proxy in the same pod, which logs in by IAM and encrypts: nobody has a password. The
proxy is a native sidecar, which ends with the Job. https://github.com/GoogleCloudPlatform/cloud-sql-proxy#readme

Traps: the pod's template of a Job cannot change, so other SQL replaces the Job and runs again; the same SQL does not.
A failed Job fails the update with the last line of the log, and the next update replaces it (`replaceUnready`).
https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.google.sql import Engine
from components.sql_client import SqlClient
from components.versions import CLOUD_SQL_PROXY, IMAGES

COMPONENT_LABEL = "app.kubernetes.io/component"
COMPONENT = "database-rights"
"""Label of these Jobs."""

_PROXY_CHECKS = 9090
_SECONDS = 600
_USER = 65532
"""The user of the proxy's image; the clients run as any."""
_TIMEOUTS = pulumi.CustomTimeouts(create="15m")
"""Longer than the Job's own deadline, so that its message is in the error."""
_HARDENED: kubernetes.core.v1.SecurityContextArgsDict = {
    "allow_privilege_escalation": False,
    "read_only_root_filesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class JobImages:
    """The images of the clients and of the proxy."""

    psql: pulumi.Input[str]
    mysql: pulumi.Input[str]
    proxy: pulumi.Input[str] = CLOUD_SQL_PROXY

    @classmethod
    def through(cls, mirror: pulumi.Input[str]) -> JobImages:
        """The images, those of Docker Hub through its mirror at this address."""
        return cls(*(pulumi.Output.concat(mirror, "/library/", IMAGES[name]) for name in ("postgres", "mysql")))

    def names(self, engines: Collection[Engine]) -> list[pulumi.Input[str]]:
        """Those of Jobs in instances of these engines."""
        clients = {"POSTGRES": self.psql, "MYSQL": self.mysql}
        return [*(image for engine, image in clients.items() if engine in engines), *([self.proxy] if engines else [])]


@dataclass(frozen=True)
class JobLogin:
    """Who runs the Job: a Kubernetes service account, which the proxy logs in as."""

    namespace: pulumi.Input[str]
    account: str


def rights_job(
    name: str,
    client: SqlClient,
    *,
    physical_name: str,
    login: JobLogin,
    instance: pulumi.Input[str],
    proxy_image: pulumi.Input[str],
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource] = (),
) -> kubernetes.batch.v1.Job:
    """Declare a Job that runs a client next to the proxy; `instance` is the connection name."""
    labels = {COMPONENT_LABEL: COMPONENT, "app.kubernetes.io/name": physical_name}
    container: kubernetes.core.v1.ContainerArgsDict = {
        "name": client.name,
        "image": client.image,
        "command": list(client.command),
        "env": [{"name": key, "value": value} for key, value in client.environment.items()],
        "image_pull_policy": "Always",
        "security_context": _HARDENED,
        "resources": _resources("64Mi"),
        "termination_message_policy": "FallbackToLogsOnError",
    }
    proxy: kubernetes.core.v1.ContainerArgsDict = {
        "name": "proxy",
        "image": proxy_image,
        "restart_policy": "Always",
        "args": [
            "--auto-iam-authn",
            "--psc",
            "--structured-logs",
            "--health-check",
            "--http-address=0.0.0.0",
            f"--http-port={_PROXY_CHECKS}",
            f"--port={client.port}",
            instance,
        ],
        "startup_probe": {
            "http_get": {"path": "/startup", "port": _PROXY_CHECKS},
            "period_seconds": 1,
            "failure_threshold": 60,
        },
        "image_pull_policy": "Always",
        "security_context": _HARDENED,
        "resources": _resources("128Mi"),
    }
    return kubernetes.batch.v1.Job(
        name,
        metadata={
            "name": physical_name,
            "namespace": login.namespace,
            "labels": labels,
            "annotations": {"pulumi.com/replaceUnready": "true"},
        },
        spec={
            "backoff_limit": 5,
            "active_deadline_seconds": _SECONDS,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "service_account_name": login.account,
                    "automount_service_account_token": False,
                    "enable_service_links": False,
                    "restart_policy": "Never",
                    "security_context": {
                        "run_as_non_root": True,
                        "run_as_user": _USER,
                        "run_as_group": _USER,
                        "seccomp_profile": {"type": "RuntimeDefault"},
                    },
                    "init_containers": [proxy],
                    "containers": [container],
                },
            },
        },
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*after], custom_timeouts=_TIMEOUTS),
    )


def _resources(memory: str) -> kubernetes.core.v1.ResourceRequirementsArgsDict:
    sizes = {"memory": memory, "ephemeral-storage": "64Mi"}
    return {"requests": {"cpu": "50m", **sizes}, "limits": {"cpu": "500m", **sizes}}
