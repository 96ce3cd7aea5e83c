"""The report as the comment on a pull request.

The table and the decisions are always complete; details are left out when the comment would be too long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atwork.engine.urn import name_of
from atwork.report import summary
from atwork.report.model import Change, StackReport
from atwork.report.sections import Section, sections

LIMIT = 60_000
"""Maximum number of characters; GitHub refuses 65,536."""

MARKER = "<!-- atwork:preview -->"
"""Identifies the comment, so that a later run can edit it."""

_LINE, _SHORTEST_LINE = 400, 60
_FEW_POLICIES, _MANY_POLICIES = 5, 30
"""Maximum number of policies in a brief section, and in any other."""


def render(reports: Sequence[StackReport], *, link: str = "", limit: int = LIMIT, notes: Sequence[str] = ()) -> str:
    """The comment's text; `notes` are lines of Markdown below the table."""
    head = _head(reports, link, limit, notes)
    notice = "\n<details><summary>Details are left out: they are too long for a comment</summary>\n\n"
    notice += f"{link or 'The report of the run has them.'}\n\n</details>\n"
    space = limit - len(head) - len(notice)
    details: list[str] = []
    left_out = False
    for section in sections(reports):
        block = _block(section)
        if len(block) > space:
            left_out = True
            block = _block(section, brief=True)
        if len(block) > space:
            block = _block(section, brief=True, space=space)
        if len(block) > space:
            continue
        details.append(block)
        space -= len(block)
    return head + "".join(details) + (notice if left_out else "")


def _head(reports: Sequence[StackReport], link: str, limit: int, notes: Sequence[str]) -> str:
    sign = {0: "⬜", 1: "❌", 2: "🟨", 3: "🟥"}[summary.code(reports)]
    lines = [MARKER, f"## {sign} Preview: {_plain(summary.verdict(reports))}", _origin(reports, link), ""]
    lines += [
        "| Stack | Result | + | ~ | ± | - | Guards | Policy | Outputs | State | Fingerprint |",
        "|---|---|--:|--:|--:|--:|--:|---|---|---|---|",
    ]
    first: dict[str, str] = {}
    for report in reports:
        same = first.setdefault(report.fingerprint, report.stack) if report.complete and report.changes else ""
        lines.append(_row(report, same if same != report.stack else ""))
    cautions = [item for report in reports for item in summary.decisions(report)]
    remarks = summary.remarks(reports)
    if cautions or remarks:
        # Every line is kept; when there are many, each is shorter.
        space = limit * 3 // 4 - sum(map(len, (*lines, *notes)))
        width = max(_SHORTEST_LINE, min(_LINE, space // (len(cautions) + len(remarks)) - 5))
        if cautions:
            lines += ["", "> [!CAUTION]", *(f"> - {_one_line(item, width)}" for item in cautions)]
        if remarks:
            lines += ["", *(f"- {_one_line(item, width)}" for item in remarks)]
    if notes:
        lines += ["", *notes]
    return "\n".join(lines) + "\n"


def _origin(reports: Sequence[StackReport], link: str) -> str:
    head, base = next(((item.head, item.base) for item in reports if item.head), ("", ""))
    parts = [f"`{head[:12]}`" + (f" on `{base[:12]}`" if base else "")] if head else []
    created_at = max((item.created_at for item in reports), default="")
    parts += [f"{created_at[:16].replace('T', ' ')} UTC"] if created_at else []
    return " · ".join([*parts, *([f"[full report]({link})"] if link else [])])


def _row(report: StackReport, same: str) -> str:
    sign, result = summary.RESULTS[report.result]
    result = f"same as {same}" if same else result
    if report.new:
        sign, result = "🆕", f"new environment, {result}"
    if not report.complete:
        result += ", counts are partial"
    counts = [str(report.counts.get(kind) or "·") for kind in summary.COLUMNS]
    guards = sum(len(change.guards) for change in report.changes)
    broken, advice, rules = summary.policy(report)
    policy = f"❌ {broken}" if broken else f"⚠️ {advice}" if advice else f"✅ {rules}" if rules else "·"
    outputs = ", ".join(f"`{_one_line(item.name, _SHORTEST_LINE)}`" for item in report.outputs[:3]) or "·"
    outputs += f" and {len(report.outputs) - 3} more" if len(report.outputs) > 3 else ""
    state = _plain(", ".join(summary.state(report)))[:_LINE] or "·"
    cells = [
        _plain(report.stack),
        f"{sign} {result}",
        *counts,
        f"🔓 {guards}" if guards else "·",
        policy,
        outputs,
        f"🔒 {state}" if report.held else state,
        f"`{report.fingerprint[:12]}`",
    ]
    return f"| {' | '.join(cells)} |"


def _block(section: Section, *, brief: bool = False, space: int = 0) -> str:
    names = ", ".join(f"<b>{_plain(item)}</b>" for item in section.stacks)
    lines = _lines(section, brief=brief)
    if space:
        lines = _truncated(lines, space)
    text = "\n".join(line.replace("\r", " ") for line in lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    parts = [f"\n<details><summary>{names}: {section.title}</summary>\n"]
    if lines:
        parts.append(f"\n{fence}diff\n{text}\n{fence}\n")
    most = _FEW_POLICIES if brief else _MANY_POLICIES
    for policy in sorted(section.policies, key=lambda item: not item.mandatory)[:most]:
        mark = "❌" if policy.mandatory else "⚠️"
        subject = f"`{_one_line(policy.name, 100)}` on {_one_line(policy.resource, 100)}"
        parts.append(f"- {mark} {subject}: {_one_line(policy.message, 300)}\n")
    if len(section.policies) > most:
        parts.append(f"- and {len(section.policies) - most} more of policies\n")
    parts += [f"- left out as noise: {_one_line(item, _LINE)}\n" for item in section.noise[:most]]
    if len(section.noise) > most:
        parts.append(f"- and {len(section.noise) - most} more left out as noise\n")
    return "".join([*parts, "\n</details>\n"])


def _truncated(lines: Sequence[str], space: int) -> list[str]:
    """The first lines, which are the most important, and the number of the others."""
    shown_lines: list[str] = []
    size = 4000  # title, policies and fences of a brief block
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > space:
            return [*shown_lines, f"  and {len(lines) - number} more lines"]
        shown_lines.append(line)
    return shown_lines


def _lines(section: Section, *, brief: bool) -> list[str]:
    lines: list[str] = []
    created: dict[str, list[str]] = {}
    for change in section.changes:
        if change.kind == "create" and not change.guards and not change.dangerous:
            created.setdefault(change.type, []).append(change.name)
        else:
            lines += _change(change, brief=brief)
    for kind, names in sorted(created.items()):
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        lines.append(_value(f"+ create {kind} {shown}", _LINE))
    for item in section.outputs:
        read = f"   # read by {', '.join(item.read_by)}" if item.read_by else ""
        lines.append(f"  output {_value(item.name)}: {_value(item.old)} → {_value(item.new)}{read}")
    return lines


def _change(change: Change, *, brief: bool) -> list[str]:
    tags = "".join(f" [{mark}]" for mark in summary.tags(change))
    sign = "!" if change.dangerous else {"delete": "-", "create": "+"}.get(change.kind, " ")
    lines = [f"{sign} {change.kind} {_value(change.type)} {_value(change.name)}{tags}"]
    if change.renamed_from:
        lines.append(f"      was {_value(name_of(change.renamed_from))}")
    lines += [f"!     {_value(item.name)}: {_value(item.old)} → {_value(item.new)}" for item in change.guards]
    if brief:
        return lines
    for item in change.properties:
        cause = "   # forces the replacement" if item.replaces else ""
        path = _value(item.path)
        if item.old is not None:
            lines.append(f"-     {path} = {_value(item.old)}{cause if item.new is None else ''}")
        if item.new is not None:
            lines.append(f"+     {path} = {_value(item.new)}{cause}")
    if change.hidden_only:
        lines.append("      only values that are not shown differ")
    return lines


def _value(text: str | None, max_length: int = 200) -> str:
    """A value on one line."""
    if text is None:
        return "none"
    text_line = " ".join(text.split())
    return text_line if len(text_line) <= max_length else f"{text_line[:max_length]}…"


def _one_line(text: str, max_length: int) -> str:
    return _value(_plain(text), max_length)


def _plain(text: str) -> str:
    """Text without markup: no tags, no table cells, no mentions of users."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
    return escaped.replace("@", "@\u200b").replace("`", "'")
