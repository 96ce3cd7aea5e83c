"""What is the same in several stacks is shown once, with their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atwork.report import fingerprint
from atwork.report.model import Change, Output, Policy, Report, StackReport


@dataclass
class Section:
    """A part of the report that one stack has, or several alike."""

    stacks: tuple[str, ...]
    identical: bool
    """Whether nothing else changes in these stacks: their fingerprints are equal."""
    changes: list[Change]
    outputs: list[Output]
    policies: list[Policy]
    noise: list[str]

    @property
    def dangerous(self) -> bool:
        """Whether somebody has to decide on something in it."""
        return any(change.dangerous for change in self.changes) or any(one.mandatory for one in self.policies)

    @property
    def title(self) -> str:
        """What is in it."""
        counts = Counter(change.kind for change in self.changes)
        told = [f"{count} {kind}" for kind, count in counts.items()]
        told += [f"{len(self.outputs)} output{'s' * (len(self.outputs) > 1)}"] if self.outputs else []
        alike = " (identical)" if self.identical else " (the same in each)" if len(self.stacks) > 1 else ""
        return (", ".join(told) or "remarks") + alike


def sections(reports: Sequence[StackReport]) -> list[Section]:
    """Every change, output, policy and noise of all stacks in exactly one section; decisions first."""
    keys: dict[str, tuple[StackReport, Report | str, list[str]]] = {}
    for report in reports:
        for key, one in _items(report):
            keys.setdefault(key, (report, one, []))[2].append(report.stack)
    prints = {report.stack: report.fingerprint if report.complete else report.stack for report in reports}
    found: dict[tuple[str, ...], Section] = {}
    for _, one, names in keys.values():
        stacks = tuple(dict.fromkeys(names))
        if stacks not in found:
            identical = len(stacks) > 1 and len({prints[stack] for stack in stacks}) == 1
            found[stacks] = Section(stacks, identical, [], [], [], [])
        _add(found[stacks], one)
    return sorted(found.values(), key=lambda one: not one.dangerous)


def _add(section: Section, one: Report | str) -> None:
    if isinstance(one, Change):
        section.changes.append(one)
    elif isinstance(one, Output):
        section.outputs.append(one)
    elif isinstance(one, Policy):
        section.policies.append(one)
    else:
        section.noise.append(str(one))


def _items(report: StackReport) -> Iterator[tuple[str, Report | str]]:
    """Everything in a report that may be the same in another, by a key that does not name the stack."""
    for change in report.changes:
        there = {key: fingerprint.anywhere(getattr(change, key), report.stack) for key in ("urn", "renamed_from")}
        yield change.model_copy(update=there).model_dump_json(), change
    for output in report.outputs:
        yield f"output {output.model_dump_json()}", output
    for policy in report.policies:
        yield f"policy {policy.model_dump_json()}", policy
    for noise in report.noise:
        yield f"noise {noise}", noise
