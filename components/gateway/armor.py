"""The rules of the Cloud Armor policy, in the order of their priorities. Plain data.

Traps: a rule in preview is logged and never denies; the last rule must allow the rest, with the lowest priority.
https://cloud.google.com/armor/docs/waf-rules https://cloud.google.com/armor/docs/rate-limiting-overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.gateway.settings import WafSettings

if TYPE_CHECKING:
    from pulumi_gcp.compute import SecurityPolicyRuleArgsDict as Rule
    from pulumi_gcp.compute import SecurityPolicyRuleMatchArgsDict as Match

_FIRST = 1000
_RATE_LIMIT = 10_000
_REST = 2_147_483_647
"""The priority that Google requires of the default rule."""


def rules(settings: WafSettings) -> list[Rule]:
    """WAF rules, the limit of requests by address, and the default."""
    denied: list[Rule] = [
        {
            "priority": _FIRST + 10 * position,
            "action": "deny(403)",
            "preview": settings.preview,
            "description": f"OWASP: {rule}",
            "match": {"expr": {"expression": _expression(rule, settings.sensitivity)}},
        }
        for position, rule in enumerate(settings.rules)
    ]
    return [*denied, _rate_limit(settings.requests_per_minute), _default()]


def _expression(rule: str, sensitivity: int) -> str:
    # The rules of single vulnerabilities have no levels.
    return (
        f"evaluatePreconfiguredWaf('{rule}')"
        if rule.startswith("cve")
        else f"evaluatePreconfiguredWaf('{rule}', {{'sensitivity': {sensitivity}}})"
    )


def _rate_limit(requests: int) -> Rule:
    return {
        "priority": _RATE_LIMIT,
        "action": "throttle",
        "preview": False,
        "description": "Requests of one address",
        "match": _everybody(),
        "rate_limit_options": {
            "conform_action": "allow",
            "exceed_action": "deny(429)",
            "enforce_on_key": "IP",
            "rate_limit_threshold": {"count": requests, "interval_sec": 60},
        },
    }


def _default() -> Rule:
    return {
        "priority": _REST,
        "action": "allow",
        "preview": False,
        "description": "The rest",
        "match": _everybody(),
    }


def _everybody() -> Match:
    return {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": ["*"]}}
