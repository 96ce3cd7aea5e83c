"""The objectives of a service: recording rules in its namespace, which the alerts of the environment read.

Owns: one object `Rules` of Managed Prometheus. Does not own: the alerts (components/monitoring/alerts.py), and the
collection of the service's metrics (the `PodMonitoring` in its chart).

Traps:
- `Rules` see the metrics of their namespace and cluster alone, and `ClusterRules` those of the cluster: a stack of
  services needs no object that all services share.
- Nothing checks the expressions before Google's rule evaluator reads them: tests run them in promtool.
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes

from components.monitoring.slo import rule_groups
from components.monitoring.slo_settings import SloSettings

NAME = "atwork-slo"
"""Name of the object in each namespace."""


class Objectives(pulumi.ComponentResource):
    """The recording rules of one service."""

    rules: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: SloSettings,
        *,
        service: str,
        team: str,
        cluster: str,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:objectives:Objectives", name, {}, opts)
        rules = kubernetes.apiextensions.CustomResource(
            f"{name}-rules",
            api_version="monitoring.googleapis.com/v1",
            kind="Rules",
            metadata={"name": NAME, "namespace": namespace},
            spec={"groups": rule_groups(settings, cluster=cluster, service=service, team=team)},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.rules = rules.id
        self.register_outputs({"rules": self.rules})
