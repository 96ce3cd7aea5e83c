"""Rules about the network and the quotas of the project."""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

_NAT = "router_googleapis_com:nat_"

RULES = (
    AlertRule(
        id="nat-no-ports",
        title="Cloud NAT drops packets because ports are used up",
        value="sum by (gateway_name) "
        f'(increase({_NAT}dropped_sent_packets_count{{$gateway,reason="OUT_OF_RESOURCES"}}[5m]))',
        threshold=Threshold(">", 0, "packets"),
        minutes=5,
        severities=Severities(production="page", test="ticket", build="ticket"),
    ),
    AlertRule(
        id="nat-no-address",
        title="Cloud NAT has no address left for a node",
        value=f"max by (gateway_name) ({_NAT}nat_allocation_failed{{$gateway}})",
        threshold=Threshold("==", 1),
        minutes=5,
        severities=Severities(production="page", test="ticket", build="ticket"),
    ),
    AlertRule(
        id="quota-exceeded",
        title="A quota of the project is used up",
        value="max by (quota_metric, limit_name, location) (serviceruntime_googleapis_com:quota_exceeded{$quotas})",
        threshold=Threshold("==", 1),
        minutes=15,
        severities=Severities(production="ticket", test="ticket", build="ticket"),
    ),
)
