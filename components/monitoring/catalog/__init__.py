"""All rules, by the part that they watch."""

from __future__ import annotations

from collections.abc import Mapping

from components.monitoring.catalog import (
    builds,
    control_plane,
    databases,
    hosts,
    nodes,
    objectives,
    project,
    workloads,
)
from components.monitoring.rule import AlertRule

RULES: Mapping[str, AlertRule] = {
    rule.id: rule
    for part in (objectives, hosts, workloads, nodes, control_plane, databases, project, builds)
    for rule in part.RULES
}
"""The rules by their id."""
