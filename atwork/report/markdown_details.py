"""The details of the comment: a block for each section, which a click opens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from atwork.engine.urn import name_of
from atwork.report import summary
from atwork.report.markdown_text import LINE, one_line, plain, value
from atwork.report.model import Change
from atwork.report.sections import ReportSection
from atwork.report.text import fitting, listed, size

_FEW, _MANY = 5, 30
"""Maximum number of policies, and of ignored differences, in a brief block and in any other."""
_FRAME, _MORE = 20, 30
"""Maximum lengths of what surrounds the lines without the fences, and of the line with the number of the others."""
_NAMES = 8
"""Maximum number of created resources of a type that are named."""
_SMALLEST = 200
"""Number of characters below which no block fits."""


def details_size(sections: Sequence[ReportSection], limit: int) -> int:
    """The number of characters of all blocks, at most the limit."""
    total = 0
    for section in sections:
        total += len(_block(section))
        if total >= limit:
            return limit
    return total


def details_within(sections: Sequence[ReportSection], space: int) -> tuple[list[str], int]:
    """The blocks that fit, and the number of stacks with a block that is shortened or left out."""
    blocks: list[str] = []
    affected: set[str] = set()
    for number, section in enumerate(sections, start=1):
        block = _block(section) if space >= _SMALLEST else ""
        if not block or len(block) > space:
            affected.update(section.stacks)
            block = _brief_block(section, space, is_last=number == len(sections))
        blocks.append(block)
        space -= len(block)
    return [block for block in blocks if block], len(affected)


def _brief_block(section: ReportSection, space: int, *, is_last: bool) -> str:
    """A block without values; if it does not fit, with the first lines in half of the space; "" if nothing fits."""
    if space < _SMALLEST:
        return ""
    block = _block(section, brief=True)
    if len(block) > space:
        block = _block(section, brief=True, space=space if is_last else space // 2)
    return block if len(block) <= space else ""  # policies alone can be too long


def _block(section: ReportSection, *, brief: bool = False, space: int = 0) -> str:
    """A block; `space` is the maximum number of characters, if its lines are limited too: "" if none of them fits."""
    names = listed([f"<b>{plain(stack)}</b>" for stack in section.stacks], summary.MAX_ITEMS)
    title = f"\n<details><summary>{names}: {section.title}</summary>\n"
    end = "".join(f"{line}\n" for line in _judgments(section, _FEW if brief else _MANY)) + "\n</details>\n"
    lines = [line.replace("\r", " ") for line in _lines(section, brief=brief)]
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0))
    if space:
        lines = _truncated(lines, space - len(title) - len(end) - 2 * len(fence) - _FRAME)
        if not lines:
            return ""
    text = "\n".join(lines)
    return title + (f"\n{fence}diff\n{text}\n{fence}\n" if lines else "\n") + end


def _judgments(section: ReportSection, limit: int) -> list[str]:
    """Violations of policies, the mandatory ones first, and ignored differences."""
    lines: list[str] = []
    violations = section.violations
    for violation in violations[:limit]:
        mark = "❌" if violation.mandatory else "⚠️"
        lines.append(f"- {mark} `{one_line(violation.name, 100)}`: {one_line(violation.message, 300)}")
        lines.append(f"  - {one_line(listed(violation.resources, limit), LINE)}")
    if len(violations) > limit:
        lines.append(f"- and {len(violations) - limit} more of policies")
    lines += [f"- left out as noise: {one_line(noise, LINE)}" for noise in section.noise[:limit]]
    if len(section.noise) > limit:
        lines.append(f"- and {len(section.noise) - limit} more left out as noise")
    return lines


def _truncated(lines: Sequence[str], space: int) -> list[str]:
    """The first lines, which are the most important, and the number of the others."""
    if size(lines) <= space:
        return [*lines]
    shown = fitting(lines, space - _MORE)
    return shown and [*shown, f"  and {len(lines) - len(shown)} more lines"]


def _lines(section: ReportSection, *, brief: bool) -> list[str]:
    lines: list[str] = []
    created: dict[str, list[str]] = {}
    for change in section.changes:
        if change.kind == "create" and not change.guards and not change.dangerous:
            created.setdefault(change.type, []).append(change.name)
        else:
            lines += _change(change, brief=brief)
    for kind, names in sorted(created.items()):
        lines.append(value(f"+ create {kind} {listed(names, _NAMES)}", LINE))
    for output in section.outputs:
        read = f"   # read by {listed(output.read_by, summary.MAX_ITEMS)}" if output.read_by else ""
        lines.append(f"  output {value(output.name)}: {value(output.old)} → {value(output.new)}{read}")
    return lines


def _change(change: Change, *, brief: bool) -> list[str]:
    tags = "".join(f" [{mark}]" for mark in summary.tags(change))
    sign = "!" if change.dangerous else {"delete": "-", "create": "+"}.get(change.kind, " ")
    lines = [f"{sign} {change.kind} {value(change.type)} {value(change.name)}{tags}"]
    if change.renamed_from:
        lines.append(f"      was {value(name_of(change.renamed_from))}")
    lines += [f"!     {value(guard.name)}: {value(guard.old)} → {value(guard.new)}" for guard in change.guards]
    if brief:
        return lines
    for difference in change.properties:
        cause = "   # forces the replacement" if difference.replaces else ""
        path = value(difference.path)
        if difference.old is not None:
            lines.append(f"-     {path} = {value(difference.old)}{cause if difference.new is None else ''}")
        if difference.new is not None:
            lines.append(f"+     {path} = {value(difference.new)}{cause}")
    if change.hidden_only:
        lines.append("      only values that are not shown differ")
    return lines
