"""Rules about hosts, which uptime checks ask for (components/monitoring/uptime.py)."""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

_CHECK = "monitoring_googleapis_com:uptime_check_"

RULES = (
    AlertRule(
        id="uptime-fails",
        title="A host does not answer as it should",
        # Of three places: one that cannot reach the host is not the host's fault.
        value=f"avg by (check_id, host) ({_CHECK}check_passed{{$hosts}})",
        threshold=Threshold("<", 50, "%"),
        minutes=5,
        severities=Severities(production="page", test="ticket", build="ticket"),
    ),
    AlertRule(
        id="certificate-ends",
        title="The certificate of a host ends soon",
        # Google renews its certificates about a month before their end.
        value=f"min by (check_id, host) ({_CHECK}time_until_ssl_cert_expires{{$hosts}})",
        threshold=Threshold("<", 14, "days"),
        minutes=60,
        severities=Severities(production="ticket", test="ticket", build="ticket"),
    ),
)
