"""Dashboards of an environment.

Owns: one dashboard for each subject, and one for all services. Does not own: what they show (dashboards/).

Traps: names of databases are known after their creation, so that the first preview of an environment shows no content.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.monitoring.dashboards import DASHBOARDS
from components.monitoring.dashboards.document import document, present
from components.monitoring.dashboards.panel import Dashboard
from components.monitoring.scope import Scope
from components.monitoring.selection import MonitoredEnvironment


def dashboards(
    environment: MonitoredEnvironment, *, scope: pulumi.Input[Scope], runbooks: str, opts: pulumi.ResourceOptions
) -> None:
    """Declare the dashboards of the environment."""
    for dashboard in present(DASHBOARDS, environment):

        def content(known: Scope, dashboard: Dashboard = dashboard) -> str:
            return document(dashboard, environment, scope=known, runbooks=runbooks)

        gcp.monitoring.Dashboard(
            f"dashboard-{dashboard.id}",
            dashboard_json=pulumi.Output.from_input(scope).apply(content),
            opts=opts,
        )
