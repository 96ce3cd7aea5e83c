"""A short message in Slack, through an incoming webhook: the table and the decisions."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from atwork.errors import BackendError
from atwork.report import summary
from atwork.report.model import StackReport

_MAX_LENGTH = 2_900
"""Maximum length of a block's text; Slack refuses 3,000 characters."""


class SlackError(BackendError):
    """Slack refused a message; the error does not contain the URL of the webhook, which is a secret."""


def send(webhook: str, title: str, reports: Sequence[StackReport], *, link: str = "") -> None:
    """Post the message; raises `SlackError` if Slack refuses it."""
    _post(webhook, message(title, reports, link=link))


def tell(webhook: str, text: str) -> None:
    """Post a few lines; raises `SlackError` if Slack refuses them."""
    shown = _plain(text)
    block = {"type": "section", "text": {"type": "mrkdwn", "text": shown[:_MAX_LENGTH]}}
    _post(webhook, {"text": shown[:_MAX_LENGTH], "blocks": [block]})


def _post(webhook: str, body: dict[str, object]) -> None:
    try:
        response = httpx.post(webhook, json=body, timeout=30)
    except httpx.HTTPError as error:
        raise SlackError(
            f"Slack is not reachable: {type(error).__name__}; check the network and SLACK_WEBHOOK_URL"
        ) from None
    if not response.is_success:
        raise SlackError(f"Slack answered {response.status_code}; check that SLACK_WEBHOOK_URL is the URL of a webhook")


def message(title: str, reports: Sequence[StackReport], *, link: str = "") -> dict[str, object]:
    """The message in the format of Slack's API."""
    rows = [("stack", "result", *(summary.SIGNS[kind] for kind in summary.COLUMNS), "guards")]
    for report in reports:
        counts = [str(report.counts.get(kind) or ".") for kind in summary.COLUMNS]
        guards = sum(len(change.guards) for change in report.changes)
        rows.append((report.stack, summary.RESULTS[report.result][1], *counts, str(guards or ".")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
    decisions = [_plain(item) for report in reports for item in summary.decisions(report)]
    text = f"*{_plain(title)}: {_plain(summary.verdict(reports))}*"
    blocks = [text, f"```{_plain(table).replace('`', '')}```", *([_truncated(decisions)] if decisions else [])]
    blocks += [f"<{link}|full report>"] if link else []
    return {
        "text": f"{title}: {summary.verdict(reports)}",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": item}} for item in blocks],
    }


def _truncated(decisions: Sequence[str]) -> str:
    """As many lines as fit in a block, and the number of the others."""
    lines: list[str] = []
    for number, item in enumerate(decisions):
        line = f"• {item[:400]}"
        if sum(map(len, lines)) + len(lines) + len(line) > _MAX_LENGTH:
            return "\n".join([*lines, f"• and {len(decisions) - number} more"])
        lines.append(line)
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text without mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
