"""Reports of many stacks, without events of an engine."""

from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import strategies as st
from support.events import DEPLOYMENT, SQL

from atwork.report.model import Change, ChangeKind, Guard, Held, Output, Policy, Property, Result, StackReport


def change(stack: str, name: str, kind: ChangeKind = "update", token: str = DEPLOYMENT, **about: Any) -> Change:
    """The change of one resource, with one property."""
    properties = (Property(path="spec.replicas", old="1", new="2"),) if kind in ("update", "replace") else ()
    fields: dict[str, Any] = {
        "kind": kind,
        "step": kind,
        "type": token,
        "name": name,
        "urn": f"urn:pulumi:{stack}::atwork::{token}::{name}",
        "properties": properties,
    }
    return Change(**fields | about)


def deletion(stack: str, name: str = "main") -> Change:
    """A deletion that needs a decision."""
    return change(stack, name, "delete", SQL, stateful=True, protected=True)


def stack_report(stack: str, *changes: Change, **about: Any) -> StackReport:
    """A report of one stack; its result follows from the changes and errors."""
    errors = about.get("errors", ())
    dangerous = any(item.dangerous for item in changes)
    result: Result = "failed" if errors else "guarded" if dangerous else "changes" if changes else "unchanged"
    counts: dict[ChangeKind, int] = {}
    for item in changes:
        counts[item.kind] = counts.get(item.kind, 0) + 1
    content = "\n".join([stack.partition(".")[2], *(item.model_dump_json() for item in changes), *errors])
    fields: dict[str, Any] = {
        "stack": stack,
        "result": result,
        "complete": not errors,
        "counts": counts,
        "unchanged": 40,
        "changes": changes,
        "rules": 12,
        "fingerprint": hashlib.sha256(content.encode()).hexdigest(),
        "updated": "2026-11-25T10:00:00+00:00",
        "created_at": "2026-11-25T12:00:00+00:00",
        "seconds": 8.0,
    }
    return StackReport(**fields | about)


@st.composite
def kinds_of_report(draw: st.DrawFn) -> dict[str, Any]:
    """What reports of one kind have in common: how many changes and deletions, and the other fields."""
    text = st.text(max_size=500)
    error = st.sampled_from([(), ("boom",), ("x" * 900, "second"), tuple(f"error {number}" for number in range(12))])
    policy = st.builds(Policy, name=text, resource=text, message=text, mandatory=st.booleans())
    output = st.builds(Output, name=text, old=st.none() | text, new=text)
    held = st.builds(Held, id=st.just("1"), owner=text, run=st.sampled_from(["", "https://run/2"]))
    guards = st.sampled_from([(), (Guard(name="protect", old="true", new="false", removed=True),)])
    fields = {
        "errors": error,
        "policies": st.lists(policy, max_size=2).map(tuple),
        "outputs": st.lists(output, max_size=2).map(tuple),
        "held": st.lists(held, max_size=1).map(tuple),
        "pending": st.sampled_from([(), ("creating main",)]),
        "noise": st.sampled_from([(), ("b.checksum: computed again (until 2099-01-31)",)]),
        "held_unread": st.sampled_from(["", "Cloud Storage answered 403"]),
        "new": st.booleans(),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(fields)), max_size=3))
    return {
        "about": {name: draw(fields[name]) for name in sorted(chosen)},
        "changes": draw(st.integers(0, 3)),
        "deletions": draw(st.sampled_from([0, 0, 1, 12])),
        "guards": draw(guards),
        "count": draw(st.sampled_from([0, 1, 7, 60, 300])),
        "label": draw(st.sampled_from(["", "payments-", "p" * 50 + "-"])),
        "environments": draw(st.sampled_from([1, 2, 200])),
        "groups": draw(st.booleans()),
    }


def reports_of(kind: dict[str, Any], start: int) -> list[StackReport]:
    """The reports of one kind; the names of their stacks contain their numbers from a start."""
    reports: list[StackReport] = []
    for number in range(start, start + kind["count"]):
        environment = f"environment-{number % kind['environments']}"
        stack = f"{environment}.{kind['label']}{number}" if kind["groups"] else f"{kind['label']}{number}"
        changes = [change(stack, f"web-{item}", guards=kind["guards"]) for item in range(kind["changes"])]
        deletions = [deletion(stack, f"data-{item}") for item in range(kind["deletions"])]
        reports.append(stack_report(stack, *deletions, *changes, **kind["about"]))
    return reports


@st.composite
def many_reports(draw: st.DrawFn) -> list[StackReport]:
    """Up to 900 reports in any mixture."""
    reports: list[StackReport] = []
    for kind in draw(st.lists(kinds_of_report(), max_size=3)):
        reports += reports_of(kind, len(reports))
    return draw(st.sampled_from([reports, reports[::-1], reports[1::2] + reports[::2]]))
