"""A short message in Slack, through an incoming webhook: the table and the decisions."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from atwork.errors import BackendError
from atwork.report import groups, summary
from atwork.report.model import StackReport
from atwork.report.text import fitting, size

_MAX_LENGTH, _MAX_LINE = 2_900, 400
"""Maximum lengths of a block's text, of which Slack refuses 3,000 characters, and of a line."""
_MORE = 20
"""Maximum length of the line with the number of the others."""


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
    reports = groups.ordered(reports)
    shown, folded = groups.fold(reports)
    decisions = [f"• {_plain(sentence)[:_MAX_LINE]}" for report in shown for sentence in summary.decisions(report)]
    texts = [
        f"*{_plain(title)}: {_plain(summary.verdict(reports))}*",
        f"```{_block(_table(shown)).replace('`', '')}```" if shown or not folded else "",
        _block([_plain(item.line) for item in folded]),
        _block(decisions, start="• "),
        f"<{link}|full report>" if link else "",
    ]
    return {
        "text": f"{title}: {summary.verdict(reports)}",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts if text],
    }


def _table(reports: Sequence[StackReport]) -> list[str]:
    """The lines of the table, with columns of equal width."""
    rows = [("stack", "result", *(summary.SIGNS[kind] for kind in summary.COLUMNS), "guards")]
    for report in reports:
        counts = [str(report.counts.get(kind) or ".") for kind in summary.COLUMNS]
        guards = sum(len(change.guards) for change in report.changes)
        rows.append((report.stack, summary.RESULTS[report.result][1], *counts, str(guards or ".")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _plain("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()) for row in rows
    ]


def _block(lines: Sequence[str], *, start: str = "") -> str:
    """As many lines as fit in a block, and the number of the others."""
    if size(lines) <= _MAX_LENGTH:
        return "\n".join(lines)
    shown = fitting(lines, _MAX_LENGTH - _MORE)
    return "\n".join([*shown, f"{start}and {len(lines) - len(shown):,} more"])


def _plain(text: str) -> str:
    """Text without mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
