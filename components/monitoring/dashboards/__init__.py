"""Dashboards of an environment. Plain data: what each shows, with the queries and the selectors of alerts."""

from __future__ import annotations

from components.monitoring.dashboards import cluster, databases, jenkins, services
from components.monitoring.dashboards.panel import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (cluster.DASHBOARD, services.DASHBOARD, databases.DASHBOARD, jenkins.DASHBOARD)
"""The dashboards; at most one of each in an environment."""
