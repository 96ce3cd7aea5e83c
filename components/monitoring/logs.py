"""Alerts about entries of logs: what GKE announces, and who changed access, networks or data. Plain data.

The filters of changes are those of CIS GCP 2.4 to 2.11, joined by subject: one policy each, and no metric to pay for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.monitoring.rule import Severities

_METHOD = "protoPayload.methodName"
_ACTOR = "protoPayload.authenticationInfo.principalEmail"
_NOTICE = (
    'resource.type=("gke_cluster" OR "gke_nodepool") AND log_id("container.googleapis.com/notifications") '
    'AND resource.labels.cluster_name="$cluster"'
)
_EVENT = "type.googleapis.com/google.container.v1beta1"


@dataclass(frozen=True)
class LogRule:
    """An alert about entries of logs."""

    id: str
    title: str
    """What happened, as the first line of a notification."""
    filters: tuple[str, ...]
    """In the query language of Cloud Logging; an entry that matches one of them is reported."""
    severities: Severities
    labels: Mapping[str, str]
    """What a notification takes from the entry: fields by label."""
    minutes_between: int
    """Shortest time between two notifications."""
    change: bool = False
    """Whether it is about a change by somebody, whom the settings can expect."""


def _announcement(rule_id: str, title: str, event: str, condition: str = "") -> LogRule:
    return LogRule(
        rule_id,
        title,
        (f'{_NOTICE} AND jsonPayload.@type="{_EVENT}.{event}"{condition}',),
        Severities(production="ticket", test="ticket", build="ticket"),
        {},
        minutes_between=24 * 60,
    )


def _change(rule_id: str, title: str, filters: Iterable[str]) -> LogRule:
    return LogRule(
        rule_id,
        title,
        tuple(filters),
        Severities(production="ticket", test="note"),
        {"actor": f"EXTRACT({_ACTOR})", "method": f"EXTRACT({_METHOD})"},
        minutes_between=60,
        change=True,
    )


LOG_RULES: Mapping[str, LogRule] = {
    rule.id: rule
    for rule in (
        _announcement("gke-security-bulletin", "GKE announces a vulnerability of the cluster", "SecurityBulletinEvent"),
        _announcement(
            "gke-upgrade-available", "A version of GKE is available for the cluster", "UpgradeAvailableEvent"
        ),
        _announcement(
            "gke-end-of-support",
            "The version of the cluster reaches its end of support",
            "UpgradeInfoEvent",
            ' AND jsonPayload.eventType="END_OF_SUPPORT"',
        ),
        _change(
            "audit-access",
            "Somebody changed who may do what",
            (
                # CIS GCP 2.4 and 2.5: owners and the configuration of audit logs
                f'resource.type="project" AND {_METHOD}="SetIamPolicy"',
                f'resource.type="iam_role" AND {_METHOD}=~"google.iam.admin.v1.(Create|Delete|Undelete|Update)Role"',
                f'resource.type="gcs_bucket" AND {_METHOD}="storage.setIamPermissions"',  # CIS GCP 2.10
            ),
        ),
        _change(
            "audit-network",
            "Somebody changed the network",
            (
                f'resource.type="gce_firewall_rule" AND {_METHOD}=~"compute.firewalls.(insert|patch|update|delete)"',
                f'resource.type="gce_route" AND {_METHOD}=~"compute.routes.(insert|delete)"',
                f'resource.type="gce_network" AND {_METHOD}=~"compute.networks.(insert|patch|delete|.*Peering)"',
            ),
        ),
        _change(
            "audit-data",
            "Somebody changed a database, or which images may run",
            (
                f'{_METHOD}="cloudsql.instances.update"',  # CIS GCP 2.11
                f'protoPayload.serviceName="binaryauthorization.googleapis.com" AND {_METHOD}=~"UpdatePolicy$"',
            ),
        ),
    )
}
"""By their id."""


def log_filter(rule: LogRule, *, cluster: str, expected_actors: Iterable[str] = ()) -> str:
    """The filter of a rule in an environment; Google's own service agents change routes and firewalls all the time."""
    joined = " OR ".join(f"({part})" for part in rule.filters).replace("$cluster", cluster)
    if not rule.change:
        return joined
    actors = "".join(f' AND NOT {_ACTOR}="{actor}"' for actor in expected_actors)
    return f'({joined}) AND NOT {_ACTOR}=~"^service-[0-9]+@"{actors}'
