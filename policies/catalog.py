"""All rules, in the order of the modules that define them."""

from __future__ import annotations

from policies.rule import Rule
from policies.rules import alerts, cluster, data, gateway, iam, kubernetes_objects, network, nodes, registry

RULES: tuple[Rule, ...] = tuple(
    rule
    for module in (cluster, nodes, data, network, gateway, registry, iam, kubernetes_objects, alerts)
    for rule in vars(module).values()
    if isinstance(rule, Rule)
)
