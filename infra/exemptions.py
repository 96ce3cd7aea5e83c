"""What a stack file says about the policies it is held to, and the exemptions from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import Field

from components.settings import Day, Settings


class ExemptionSettings(Settings):
    """One rule that one resource need not keep, for a reason and until a day."""

    policy: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    """Name of the rule, as a violation prints it."""

    resource: Annotated[str, Field(min_length=1)]
    """Logical name of the resource; `*` stands for any characters."""

    reason: Annotated[str, Field(min_length=15)]
    """Why it is accepted, for whoever reviews it next."""

    expires: Day
    """Last day, in quotes; afterwards the stack file is refused until somebody decides again."""


class PolicySettings(Settings):
    """How strictly the policies are taken here."""

    mandatory: bool = True
    """Whether a violation stops an update; otherwise it is only told."""

    exemptions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")], ExemptionSettings] = Field(
        default_factory=dict
    )
    """Accepted violations, by a name of their own."""

    def mistakes(self, today: date) -> Iterator[tuple[str, str]]:
        """Key below `policies` and what is wrong with it: what cannot be seen without a calendar and the rules."""
        from policies.rules import ALL

        known = {rule.name for rule in ALL}
        for key, exemption in self.exemptions.items():
            if exemption.policy not in known:
                yield f"exemptions.{key}.policy", f"there is no rule {exemption.policy}; policies/rules/ has them"
            if exemption.expires < today:
                yield (
                    f"exemptions.{key}.expires",
                    f"{exemption.expires} is over; mend {exemption.resource}, or decide again and give a new date",
                )
