"""The report as the one comment beside a pull request.

The table and what needs a decision are never cut; details give way to the size that a comment may have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from atwork.engine.urn import name_of
from atwork.report import words
from atwork.report.model import Change, StackReport
from atwork.report.sections import Section, sections

LIMIT = 60_000
"""Characters; GitHub refuses 65,536."""

MARKER = "<!-- atwork:preview -->"
"""By which the comment is found again."""

_LINE, _SHORTEST_LINE = 400, 60
_FEW, _MANY = 5, 30
"""Policies that are told in a section that has to be short, and in another."""


def render(reports: Sequence[StackReport], *, link: str = "", limit: int = LIMIT, notes: Sequence[str] = ()) -> str:
    """The comment's text; `notes` are lines of markup that stand below the table."""
    head = _head(reports, link, limit, notes)
    notice = "\n<details><summary>Details are left out: they are too long for a comment</summary>\n\n"
    notice += f"{link or 'The report of the run has them.'}\n\n</details>\n"
    room = limit - len(head) - len(notice)
    details: list[str] = []
    left_out = False
    for section in sections(reports):
        block = _block(section)
        if len(block) > room:
            left_out = True
            block = _block(section, brief=True)
        if len(block) > room:
            block = _block(section, brief=True, room=room)
        if len(block) > room:
            continue
        details.append(block)
        room -= len(block)
    return head + "".join(details) + (notice if left_out else "")


def _head(reports: Sequence[StackReport], link: str, limit: int, notes: Sequence[str]) -> str:
    sign = {0: "⬜", 1: "❌", 2: "🟨", 3: "🟥"}[words.code(reports)]
    lines = [MARKER, f"## {sign} Preview: {_plain(words.verdict(reports))}", _origin(reports, link), ""]
    lines += [
        "| Stack | Result | + | ~ | ± | - | Guards | Policy | Outputs | State | Fingerprint |",
        "|---|---|--:|--:|--:|--:|--:|---|---|---|---|",
    ]
    first: dict[str, str] = {}
    for report in reports:
        same = first.setdefault(report.fingerprint, report.stack) if report.complete and report.changes else ""
        lines.append(_row(report, same if same != report.stack else ""))
    cautions = [one for report in reports for one in words.decisions(report)]
    remarks = words.remarks(reports)
    if cautions or remarks:
        # Every line stays; where they are very many, each is shorter.
        room = limit * 3 // 4 - sum(map(len, (*lines, *notes)))
        width = max(_SHORTEST_LINE, min(_LINE, room // (len(cautions) + len(remarks)) - 5))
        if cautions:
            lines += ["", "> [!CAUTION]", *(f"> - {_one_line(one, width)}" for one in cautions)]
        if remarks:
            lines += ["", *(f"- {_one_line(one, width)}" for one in remarks)]
    if notes:
        lines += ["", *notes]
    return "\n".join(lines) + "\n"


def _origin(reports: Sequence[StackReport], link: str) -> str:
    head, base = next(((one.head, one.base) for one in reports if one.head), ("", ""))
    told = [f"`{head[:12]}`" + (f" on `{base[:12]}`" if base else "")] if head else []
    made = max((one.made for one in reports), default="")
    told += [f"{made[:16].replace('T', ' ')} UTC"] if made else []
    return " · ".join([*told, *([f"[full report]({link})"] if link else [])])


def _row(report: StackReport, same: str) -> str:
    sign, result = words.RESULTS[report.result]
    result = f"same as {same}" if same else result
    if report.new:
        sign, result = "🆕", f"new environment, {result}"
    if not report.complete:
        result += ", counts are partial"
    counts = [str(report.counts.get(kind) or "·") for kind in words.COLUMNS]
    guards = sum(len(change.guards) for change in report.changes)
    broken, advice, rules = words.policy(report)
    policy = f"❌ {broken}" if broken else f"⚠️ {advice}" if advice else f"✅ {rules}" if rules else "·"
    outputs = ", ".join(f"`{_one_line(one.name, _SHORTEST_LINE)}`" for one in report.outputs[:3]) or "·"
    outputs += f" and {len(report.outputs) - 3} more" if len(report.outputs) > 3 else ""
    state = _plain(", ".join(words.state(report)))[:_LINE] or "·"
    cells = [
        _plain(report.stack), f"{sign} {result}", *counts, f"🔓 {guards}" if guards else "·", policy, outputs,
        f"🔒 {state}" if report.held else state, f"`{report.fingerprint[:12]}`",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _block(section: Section, *, brief: bool = False, room: int = 0) -> str:
    names = ", ".join(f"<b>{_plain(one)}</b>" for one in section.stacks)
    lines = _lines(section, brief=brief)
    if room:
        lines = _fitting(lines, room)
    text = "\n".join(line.replace("\r", " ") for line in lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    parts = [f"\n<details><summary>{names}: {section.title}</summary>\n"]
    if lines:
        parts.append(f"\n{fence}diff\n{text}\n{fence}\n")
    most = _FEW if brief else _MANY
    for policy in sorted(section.policies, key=lambda one: not one.mandatory)[:most]:
        word = "❌" if policy.mandatory else "⚠️"
        about = f"`{_one_line(policy.name, 100)}` on {_one_line(policy.resource, 100)}"
        parts.append(f"- {word} {about}: {_one_line(policy.message, 300)}\n")
    if len(section.policies) > most:
        parts.append(f"- and {len(section.policies) - most} more of policies\n")
    parts += [f"- left out as noise: {_one_line(one, _LINE)}\n" for one in section.noise[:most]]
    if len(section.noise) > most:
        parts.append(f"- and {len(section.noise) - most} more left out as noise\n")
    return "".join([*parts, "\n</details>\n"])


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """The first lines, which are the worst, and how many follow."""
    kept: list[str] = []
    size = 4000  # title, policies and fences of a brief block
    for number, line in enumerate(lines):
        size += len(line) + 1
        if size > room:
            return [*kept, f"  and {len(lines) - number} more lines"]
        kept.append(line)
    return kept


def _lines(section: Section, *, brief: bool) -> list[str]:
    lines: list[str] = []
    created: dict[str, list[str]] = {}
    for change in section.changes:
        if change.kind == "create" and not change.guards and not change.dangerous:
            created.setdefault(change.type, []).append(change.name)
        else:
            lines += _change(change, brief=brief)
    for kind, found in sorted(created.items()):
        shown = ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
        lines.append(_value(f"+ create {kind} {shown}", _LINE))
    for one in section.outputs:
        read = f"   # read by {', '.join(one.read_by)}" if one.read_by else ""
        lines.append(f"  output {_value(one.name)}: {_value(one.old)} → {_value(one.new)}{read}")
    return lines


def _change(change: Change, *, brief: bool) -> list[str]:
    tags = "".join(f" [{word}]" for word in words.tags(change))
    sign = "!" if change.dangerous else {"delete": "-", "create": "+"}.get(change.kind, " ")
    lines = [f"{sign} {change.kind} {_value(change.type)} {_value(change.name)}{tags}"]
    if change.renamed_from:
        lines.append(f"      was {_value(name_of(change.renamed_from))}")
    lines += [f"!     {_value(one.name)}: {_value(one.old)} → {_value(one.new)}" for one in change.guards]
    if brief:
        return lines
    for one in change.properties:
        cause = "   # forces the replacement" if one.replaces else ""
        path = _value(one.path)
        if one.old is not None:
            lines.append(f"-     {path} = {_value(one.old)}{cause if one.new is None else ''}")
        if one.new is not None:
            lines.append(f"+     {path} = {_value(one.new)}{cause}")
    if change.hidden_only:
        lines.append("      only values that are not shown differ")
    return lines


def _value(text: str | None, longest: int = 200) -> str:
    """A value on one line."""
    if text is None:
        return "none"
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else f"{flat[:longest]}…"


def _one_line(text: str, longest: int) -> str:
    return _value(_plain(text), longest)


def _plain(text: str) -> str:
    """Text that is no markup: no tags, no table cells, nobody called by name."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")
    return escaped.replace("@", "@\u200b").replace("`", "'")
