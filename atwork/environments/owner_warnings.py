"""Messages to the owners of ephemeral environments."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rich.console import Console

from atwork.engine.backend import Backend
from atwork.environments.lifetime import ReapCandidate
from atwork.report.slack import SlackError, tell

WARNED = "atwork:warned"
"""Tag of a stack whose owner was warned: the expiry date and the span.

It is in the backend, because runs are on different machines.
"""


def warn_owners(backend: Backend, candidates: list[ReapCandidate], console: Console) -> bool:
    """Warn each owner once for each span.

    The tag is set before the message is sent: otherwise a failing tag would cause a message every hour.
    """
    good = True
    for candidate in candidates:
        if not candidate.warning:
            continue
        end = candidate.warning.partition(" ")[0]
        state = candidate.message.partition(";")[0]
        text = (
            f"The environment {candidate.name} of {candidate.owner} {state}, at {end}, and goes with all that is in it."
            f" Longer: `atwork environment extend {candidate.name} --ttl 24h` and a pull request."
        )
        if "SLACK_WEBHOOK_URL" not in os.environ:
            console.print(f"{candidate.name}: nobody is warned, for SLACK_WEBHOOK_URL is not set")
            continue
        backend.stack(candidate.name).set_tag(WARNED, candidate.warning)
        if notify(text, console):
            console.print(f"{candidate.name}: warned {candidate.owner}")
        else:
            backend.stack(candidate.name).set_tag(WARNED, "")
            good = False
    return good


def notify(text: str, console: Console, environment: Mapping[str, str] = os.environ) -> bool:
    """Send a message to Slack; false without a webhook, and after an error, which is printed."""
    webhook = environment.get("SLACK_WEBHOOK_URL", "")
    if not webhook:
        return False
    try:
        tell(webhook, text)
    except SlackError as error:
        console.print(str(error), markup=False)
        return False
    return True
