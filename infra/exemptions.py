"""The policy settings of a stack file: how strict the policies are, and the exemptions from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from components.forms import TextForm
from components.settings import Day, Settings
from policies.catalog import RULES


class ExemptionSettings(Settings):
    """An exception to one rule for some resources, with a reason and a last day."""

    policy: Annotated[
        str, TextForm(r"^[a-z]+(-[a-z]+)*$", "the name of a rule, as the violation shows it", "namespace-pod-security")
    ]
    """Name of the rule, as a violation shows it."""

    resource: Annotated[str, Field(min_length=1)]
    """Logical name of the resource; `*` stands for any characters."""

    reason: Annotated[str, Field(min_length=15)]
    """Why the violation is accepted, for the next reviewer."""

    expires: Day
    """Last day, in quotes; after it the stack file is refused until somebody reviews the exemption."""


ExemptionName = Annotated[
    str,
    TextForm(
        r"^[a-z][a-z0-9-]*$",
        "a name of lower-case letters, digits and hyphens, a letter first",
        "rootless-builds",
    ),
]
"""Key of an exemption."""


class PolicySettings(Settings):
    """How strict the policies are in this environment."""

    mandatory: bool = True
    """Whether a violation stops an update; otherwise it is only reported."""

    exemptions: dict[ExemptionName, ExemptionSettings] = Field(default_factory=dict)
    """Accepted violations, each under a name of your choice."""

    def mistakes(self, today: date) -> Iterator[tuple[str, str]]:
        """Key below `policies` and what is wrong with it, for what only today's date and the rules can show."""
        known = {rule.name for rule in RULES}
        for key, exemption in self.exemptions.items():
            if exemption.policy not in known:
                yield f"exemptions.{key}.policy", f"unknown rule {exemption.policy}; choose a rule of policies/rules/"
            if exemption.expires < today:
                fix = f"fix {exemption.resource}, or review the exemption and set a new date"
                yield f"exemptions.{key}.expires", f"expired on {exemption.expires}; {fix}"
