"""All rules, by what they look at."""

from __future__ import annotations

from policies.rule import Rule
from policies.rules import cluster, data, iam, inside, network, nodes, registry

ALL: tuple[Rule, ...] = tuple(
    rule
    for module in (cluster, nodes, data, network, registry, iam, inside)
    for rule in vars(module).values()
    if isinstance(rule, Rule)
)
