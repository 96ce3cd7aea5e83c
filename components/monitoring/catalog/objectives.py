"""Rules about the objectives of services, whose burns are recorded (components/monitoring/slo.py).

A burn of 1 is the limit: 2% of the budget in an hour or 5% in six hours for pages, 10% in three days for tickets.
"""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

RULES = (
    AlertRule(
        id="slo-burn-fast",
        title="A service fails so often that its error budget is used up within days",
        value="max by (service, slo, team) (slo:page_burn:ratio{$objectives})",
        threshold=Threshold(">", 1),
        minutes=0,
        severities=Severities(production="page", test="ticket"),
        each_team=True,
    ),
    AlertRule(
        id="slo-burn-slow",
        title="A service uses up its error budget before the month ends",
        value="max by (service, slo, team) (slo:ticket_burn:ratio{$objectives})",
        threshold=Threshold(">", 1),
        minutes=0,
        severities=Severities(production="ticket", test="note"),
        each_team=True,
    ),
)
