"""Rules about nodes."""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

_CONDITION = "kubernetes_io:node_status_condition"
_NOT_READY = f'max by (node_name) ({_CONDITION}{{$nodes,condition="Ready",status=~"False|Unknown"}})'
_ALL = f'count(count by (node_name) ({_CONDITION}{{$nodes,condition="Ready"}}))'

RULES = (
    AlertRule(
        id="node-not-ready",
        title="A node is not ready",
        value=_NOT_READY,
        threshold=Threshold("==", 1),
        minutes=10,
        severities=Severities(production="ticket", test="note", build="note"),
        effect_of="nodes",
    ),
    AlertRule(
        id="nodes-not-ready",
        title="Several nodes are not ready",
        # In a small cluster, one node alone is more than a fifth.
        value=f"((count({_NOT_READY} == 1) > 1) / {_ALL})",
        threshold=Threshold(">", 20, "%"),
        minutes=10,
        severities=Severities(production="page", test="ticket"),
    ),
    AlertRule(
        id="node-pressure",
        title="A node runs out of memory, disk or processes",
        value="max by (node_name, condition) "
        f'({_CONDITION}{{$nodes,condition=~"MemoryPressure|DiskPressure|PIDPressure",status="True"}})',
        threshold=Threshold("==", 1),
        minutes=15,
        severities=Severities(production="ticket", test="note", build="note"),
    ),
)
