"""The report as the one comment beside a pull request.

The table and what needs a decision are never cut; details give way to the size that a comment may have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atwork.preview import words
from atwork.preview.model import Change, StackReport

LIMIT = 60_000
"""Characters; GitHub refuses 65,536."""

MARKER = "<!-- atwork:preview -->"
"""By which the comment is found again."""


def render(reports: Sequence[StackReport], *, link: str = "", limit: int = LIMIT) -> str:
    """The comment's text."""
    head = _head(reports, link)
    notice = "\n<details><summary>Details are left out: they are too long for a comment</summary>\n\n"
    notice += f"{link or 'The report of the run has them.'}\n\n</details>\n"
    room = limit - len(head) - len(notice)
    details: list[str] = []
    left_out = False
    for group in sorted(words.groups(reports), key=lambda one: words.code(one) in (0, 2)):
        block = _block(group)
        if not block:
            continue
        if len(block) > room:
            block = _block(group, brief=True)
        if len(block) > room:
            left_out = True
            continue
        details.append(block)
        room -= len(block)
    return head + "".join(details) + (notice if left_out else "")


def _head(reports: Sequence[StackReport], link: str) -> str:
    sign = {0: "⬜", 1: "❌", 2: "🟨", 3: "🟥"}[words.code(reports)]
    lines = [MARKER, f"## {sign} Preview: {_plain(words.verdict(reports))}"]
    about = next(((one.head, one.base) for one in reports if one.head), ("", ""))
    commits = [f"`{about[0][:12]}`" + (f" on `{about[1][:12]}`" if about[1] else "")] if about[0] else []
    lines += [" · ".join([*commits, *([f"[full report]({link})"] if link else [])]), ""]
    lines += [
        "| Stack | Result | + | ~ | ± | - | Guards | Policy | Outputs | Fingerprint |",
        "|---|---|--:|--:|--:|--:|--:|---|---|---|",
    ]
    first: dict[str, str] = {}
    for report in reports:
        sign, result = words.RESULTS[report.result]
        other = first.setdefault(report.fingerprint, report.stack)
        if report.complete and report.changes and other != report.stack:
            result = f"same as {other}"
        if report.new:
            sign, result = "🆕", f"new environment, {result}"
        if not report.complete:
            result += ", counts are partial"
        counts = [str(report.counts.get(kind) or "·") for kind in words.COLUMNS]
        guards = sum(len(change.guards) for change in report.changes)
        broken = sum(one.mandatory for one in report.policies)
        advice = len(report.policies) - broken
        policy = f"❌ {broken}" if broken else f"⚠️ {advice}" if advice else "✅"
        outputs = ", ".join(f"`{_plain(one.name)}`" for one in report.outputs[:3]) or "·"
        outputs += f" and {len(report.outputs) - 3} more" if len(report.outputs) > 3 else ""
        cells = [_plain(report.stack), f"{sign} {result}", *counts, f"🔓 {guards}" if guards else "·", policy, outputs]
        lines.append(f"| {' | '.join(cells)} | `{report.fingerprint[:12]}` |")
    cautions = [one for report in reports for one in words.decisions(report)]
    if cautions:
        lines += ["", "> [!CAUTION]"]
        lines += [f"> - {_plain(' '.join(one.split()))[:400]}" for one in cautions]
    return "\n".join(lines) + "\n"


def _block(group: Sequence[StackReport], *, brief: bool = False) -> str:
    report = group[0]
    if not (report.changes or report.outputs or report.policies or report.noise):
        return ""
    names = ", ".join(f"<b>{_plain(one.stack)}</b>" for one in group)
    counted = ", ".join(f"{count} {kind}" for kind, count in report.counts.items())
    lines: list[str] = []
    created: dict[str, list[str]] = {}
    for change in report.changes:
        if change.kind == "create" and not change.guards:
            created.setdefault(change.type, []).append(change.name)
        else:
            lines += _change(change, brief=brief)
    for kind, found in sorted(created.items()):
        shown = ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
        lines.append(f"+ create {kind} {shown}")
    lines += [f"  output {one.name}: {_value(one.old)} → {_value(one.new)}" for one in report.outputs]
    text = "\n".join(line.replace("\r", " ") for line in lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    parts = [
        f"\n<details><summary>{names}: {counted or 'outputs'}{' (identical)' if len(group) > 1 else ''}</summary>\n"
    ]
    if lines:
        parts.append(f"\n{fence}diff\n{text}\n{fence}\n")
    for policy in report.policies[: 5 if brief else 30]:
        word = "❌" if policy.mandatory else "⚠️"
        parts.append(f"- {word} `{_plain(policy.name)}` on {_plain(policy.resource)}: {_plain(policy.message)[:300]}\n")
    parts += [f"- left out as noise: {_plain(one)}\n" for one in report.noise]
    return "".join([*parts, "\n</details>\n"])


def _change(change: Change, *, brief: bool) -> list[str]:
    marks = "".join(f" [{word}]" for word in words.marks(change))
    sign = "!" if change.dangerous else {"delete": "-", "create": "+"}.get(change.kind, " ")
    lines = [f"{sign} {change.kind} {change.type} {change.name}{marks}"]
    if change.renamed_from:
        lines.append(f"      was {change.renamed_from.rpartition('::')[2]}")
    lines += [f"!     {one.name}: {one.old} → {one.new}" for one in change.guards]
    if brief:
        return lines
    for one in change.properties:
        cause = "   # forces the replacement" if one.replaces else ""
        if one.old is not None:
            lines.append(f"-     {one.path} = {_value(one.old)}{cause if one.new is None else ''}")
        if one.new is not None:
            lines.append(f"+     {one.path} = {_value(one.new)}{cause}")
    if change.hidden_only:
        lines.append("      only values that are not shown differ")
    return lines


def _value(text: str | None) -> str:
    if text is None:
        return "none"
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:200]}…"


def _plain(text: str) -> str:
    """Text that is no markup: no tags, no table cells, nobody called by name."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
    return escaped.replace("@", "@\u200b").replace("`", "'")
