"""The budget of an environment: what its project may cost in a month, and who hears when it costs more.

Owns: one budget. Does not own: its channels (components/monitoring/channels.py).

Traps:
- A budget limits nothing: it only notifies.
- The amount is in the currency of the billing account; another one is refused, so that none is sent.
- Budgets notify e-mail channels and one topic (https://cloud.google.com/billing/docs/how-to/budgets-notification-recipients).
- The API has no project of its own to count calls in: the provider must name one (`billing_project`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import pulumi
import pulumi_gcp as gcp
from pydantic import AfterValidator, Field, model_validator

from components.settings import Settings

SERVICE = "billingbudgets.googleapis.com"

MOST_CHANNELS = 5
"""E-mail channels of one budget."""


def _amount(value: int) -> int:
    if value < 1:
        raise ValueError(f"{value} is used up at once; write what the project may cost in a month, or remove budget")
    return value


Percent = Annotated[int, Field(ge=1, le=1000)]


class BudgetSettings(Settings):
    """What the environment may cost in a month."""

    amount: Annotated[int, AfterValidator(_amount)]
    """In the currency of the billing account."""

    current: tuple[Percent, ...] = (50, 90, 100)
    """Percentages of the amount that notify once they are spent."""

    forecast: tuple[Percent, ...] = (100,)
    """Percentages of the amount that notify once the month is expected to reach them."""

    @model_validator(mode="after")
    def _notifies(self) -> Self:
        if not self.current and not self.forecast:
            raise ValueError("nothing notifies; add a percentage to current or forecast")
        return self


def budget(
    name: str,
    settings: BudgetSettings,
    *,
    display_name: str,
    account: str,
    project_number: pulumi.Input[str],
    channels: Sequence[pulumi.Input[str]],
    topic: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Declare the budget; `opts` have the provider that counts calls in the project."""
    updates: gcp.billing.BudgetAllUpdatesRuleArgsDict = {"schema_version": "1.0"}
    if channels:
        updates["monitoring_notification_channels"] = [*channels]
    if topic is not None:
        updates["pubsub_topic"] = topic
    gcp.billing.Budget(
        f"{name}-budget",
        billing_account=account,
        display_name=display_name,
        amount={"specified_amount": {"units": str(settings.amount)}},
        budget_filter={
            "projects": [pulumi.Output.concat("projects/", project_number)],
            "calendar_period": "MONTH",
            "credit_types_treatment": "INCLUDE_ALL_CREDITS",
        },
        threshold_rules=[
            *(_rule(percent, "CURRENT_SPEND") for percent in settings.current),
            *(_rule(percent, "FORECASTED_SPEND") for percent in settings.forecast),
        ],
        all_updates_rule=updates,
        # Updates may change budgets of the project, and not those of the billing account.
        ownership_scope="ALL_USERS",
        opts=opts,
    )


def _rule(percent: int, basis: Literal["CURRENT_SPEND", "FORECASTED_SPEND"]) -> gcp.billing.BudgetThresholdRuleArgsDict:
    return {"threshold_percent": percent / 100, "spend_basis": basis}
