"""A short message in Slack: the table and what needs a decision, by an incoming webhook."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from atwork.errors import BackendError
from atwork.report import words
from atwork.report.model import StackReport

_LONGEST = 2_900
"""Characters of a block's text; Slack refuses 3,000."""


class SlackError(BackendError):
    """Slack refused; the webhook's address, which is a secret, is not in the message."""


def send(webhook: str, title: str, reports: Sequence[StackReport], *, link: str = "") -> None:
    """Post the message; raises `SlackError` where it is not taken."""
    _post(webhook, message(title, reports, link=link))


def tell(webhook: str, text: str) -> None:
    """Post a few lines; raises `SlackError` where they are not taken."""
    shown = _plain(text)
    block = {"type": "section", "text": {"type": "mrkdwn", "text": shown[:_LONGEST]}}
    _post(webhook, {"text": shown[:_LONGEST], "blocks": [block]})


def _post(webhook: str, body: dict[str, object]) -> None:
    try:
        answer = httpx.post(webhook, json=body, timeout=30)
    except httpx.HTTPError as error:
        raise SlackError(f"Slack is not reached: {type(error).__name__}") from None
    if not answer.is_success:
        raise SlackError(f"Slack answered {answer.status_code}; is SLACK_WEBHOOK_URL the address of a webhook?")


def message(title: str, reports: Sequence[StackReport], *, link: str = "") -> dict[str, object]:
    """The message, as Slack's API takes it."""
    rows = [("stack", "result", *(words.SIGNS[kind] for kind in words.COLUMNS), "guards")]
    for report in reports:
        counts = [str(report.counts.get(kind) or ".") for kind in words.COLUMNS]
        guards = sum(len(change.guards) for change in report.changes)
        rows.append((report.stack, words.RESULTS[report.result][1], *counts, str(guards or ".")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    told = [_plain(one) for report in reports for one in words.decisions(report)]
    text = f"*{_plain(title)}: {_plain(words.verdict(reports))}*"
    blocks = [text, f"```{_plain(table).replace('`', '')}```", *([_fitting(told)] if told else [])]
    blocks += [f"<{link}|the whole report>"] if link else []
    return {
        "text": f"{title}: {words.verdict(reports)}",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": one}} for one in blocks],
    }


def _fitting(told: Sequence[str]) -> str:
    """As many lines as a block may hold, and how many are left."""
    lines: list[str] = []
    for number, one in enumerate(told):
        line = f"• {one[:400]}"
        if sum(map(len, lines)) + len(lines) + len(line) > _LONGEST:
            return "\n".join([*lines, f"• and {len(told) - number} more"])
        lines.append(line)
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that calls nobody and links nowhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
