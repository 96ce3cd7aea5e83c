"""The sections of a report: what is equal in several stacks is shown once, with their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atwork.report import fingerprint
from atwork.report.model import Change, Output, Policy, Report, StackReport
from atwork.report.violations import PolicyViolations, grouped


@dataclass
class ReportSection:
    """Changes, outputs, policies and noise that one or several stacks have in common."""

    stacks: tuple[str, ...]
    identical: bool
    """Whether the fingerprints of these stacks are equal, so nothing else changes in them."""
    changes: list[Change]
    outputs: list[Output]
    policies: list[Policy]
    noise: list[str]

    @property
    def dangerous(self) -> bool:
        """Whether it contains something that needs a decision."""
        return any(change.dangerous for change in self.changes) or any(item.mandatory for item in self.policies)

    @property
    def violations(self) -> list[PolicyViolations]:
        """The policies with their resources, the mandatory ones first."""
        return grouped(self.policies)

    @property
    def has_changes(self) -> bool:
        """Whether it contains more than remarks."""
        return bool(self.changes or self.outputs)

    @property
    def title(self) -> str:
        """A summary of the contents."""
        counts = Counter(change.kind for change in self.changes)
        parts = [f"{count} {kind}" for kind, count in counts.items()]
        parts += [f"{len(self.outputs)} output{'s' * (len(self.outputs) > 1)}"] if self.outputs else []
        suffix = " (identical)" if self.identical else " (the same in each)" if len(self.stacks) > 1 else ""
        return (", ".join(parts) or "remarks") + suffix


def sections(reports: Sequence[StackReport]) -> list[ReportSection]:
    """Every change, output, policy and noise of all stacks in exactly one section; decisions first, remarks last."""
    keys: dict[str, tuple[StackReport, Report | str, list[str]]] = {}
    for report in reports:
        for key, item in _items(report):
            keys.setdefault(key, (report, item, []))[2].append(report.stack)
    fingerprints = {report.stack: report.fingerprint if report.complete else report.stack for report in reports}
    by_stacks: dict[tuple[str, ...], ReportSection] = {}
    for _, item, stack_names in keys.values():
        stacks = tuple(dict.fromkeys(stack_names))
        if stacks not in by_stacks:
            identical = len(stacks) > 1 and len({fingerprints[stack] for stack in stacks}) == 1
            by_stacks[stacks] = ReportSection(stacks, identical, [], [], [], [])
        _add(by_stacks[stacks], item)
    return sorted(by_stacks.values(), key=lambda section: (not section.dangerous, not section.has_changes))


def _add(section: ReportSection, item: Report | str) -> None:
    if isinstance(item, Change):
        section.changes.append(item)
    elif isinstance(item, Output):
        section.outputs.append(item)
    elif isinstance(item, Policy):
        section.policies.append(item)
    else:
        section.noise.append(str(item))


def _items(report: StackReport) -> Iterator[tuple[str, Report | str]]:
    """Everything in a report that another may also contain, by a key without the name of the stack."""
    for change in report.changes:
        without_stack = {
            key: fingerprint.anywhere(getattr(change, key), report.stack) for key in ("urn", "renamed_from")
        }
        yield change.model_copy(update=without_stack).model_dump_json(), change
    for output in report.outputs:
        yield f"output {output.model_dump_json()}", output
    for policy in report.policies:
        yield f"policy {policy.model_dump_json()}", policy
    for noise in report.noise:
        yield f"noise {noise}", noise
