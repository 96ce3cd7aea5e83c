"""The table of all duties.

The table follows from what the commands, charts and pipelines call, not from the bindings, so that the two can be
compared (atwork/access/audit.py). An identity is what Google's APIs see: a pod with a Google account is that account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atwork.access.duties import ci, environment
from atwork.access.duties.model import Duty, EnvironmentFacts
from atwork.environments.bootstrap.plan import BootstrapPlan


def duties(environments: Mapping[str, EnvironmentFacts], plans: Iterable[BootstrapPlan]) -> list[Duty]:
    """The duties in some environments, and of the identities that bootstrap creates for them.

    The identities of GitHub contain the number of the admin project. Without it, `planned.model` and these duties
    contain the project's id instead.
    """
    in_environments = (
        duty
        for facts in environments.values()
        for duty in environment.duties(facts, environments.get(facts.config.upstream or ""))
    )
    return [*in_environments, *(duty for plan in plans for duty in ci.duties(plan))]
