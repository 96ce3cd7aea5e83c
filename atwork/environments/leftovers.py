"""Resources that a stack would create although they exist: a preview lists them, an import adds them to the state.

It works alike in the sandbox and with the official providers: only the engine is asked, through `pulumi preview` and
`pulumi import --file` (https://www.pulumi.com/docs/iac/adopting-pulumi/import/).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from atwork.engine import events
from atwork.engine.backend import Backend
from atwork.engine.events import Event
from atwork.engine.outcome import Outcome
from atwork.engine.urn import name_of, provider_of
from atwork.environments import stacks
from atwork.errors import BackendError
from atwork.report.changes import mapping
from atwork.report.keeping import import_id, is_importable, is_kept


@dataclass(frozen=True)
class Planned:
    """A resource that an update would create, of a type that is retained in the cloud."""

    urn: str
    type: str
    id: str
    """The ID for the import; "" if a part of its name is unknown."""
    parent: str
    provider: str
    """URN of its provider."""

    @property
    def name(self) -> str:
        """Its name in the program."""
        return name_of(self.urn)


@dataclass(frozen=True)
class AdoptionPlan:
    """The creates of a preview that an import may replace."""

    stack: str
    creates: tuple[Planned, ...]
    components: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Components that are not in the state yet, by URN: parents must be imported too."""


def plan(backend: Backend, stack: str) -> AdoptionPlan:
    """Ask the engine for a preview; `BackendError` if it fails."""
    projects = _projects(backend, stack)
    creates: list[Planned] = []
    components: dict[str, dict[str, Any]] = {}
    for urn, step in _previewed(backend, stack).items():
        new = mapping(step.get("new"))
        if step["op"] != "create":
            continue
        if not new.get("custom"):
            components[urn] = new
        elif is_importable(str(new["type"])) and is_kept(str(new["type"]), new):
            provider = provider_of(str(new.get("provider", "")))
            identity = import_id(str(new["type"]), mapping(new.get("inputs")), projects.get(provider, ""))
            creates.append(Planned(urn, str(new["type"]), identity, str(new.get("parent", "")), provider))
    return AdoptionPlan(stack, tuple(sorted(creates, key=lambda planned: planned.urn)), components)


def existing(backend: Backend, plan: AdoptionPlan, candidates: Sequence[Planned]) -> list[Planned]:
    """The candidates that exist in the cloud: the engine reads each of them and reports the missing ones."""
    there = list(candidates)
    while there:
        outcome = backend.stack(plan.stack).import_resources(document(plan, there), preview_only=True)
        if not outcome.failed:
            break
        missing = {error.urn for error in outcome.diagnostics if error.text.endswith("does not exist")}
        left = [planned for planned in there if planned.urn not in missing]
        if len(left) == len(there):
            raise BackendError("\n".join([f"{plan.stack}: the engine cannot look for them:", *outcome.error_lines]))
        there = left
    return there


def take_back(backend: Backend, plan: AdoptionPlan, there: Sequence[Planned]) -> Outcome:
    """Import them into the state."""
    return backend.stack(plan.stack).import_resources(document(plan, there))


def steps(backend: Backend, stack: str, there: Sequence[Planned]) -> dict[str, str]:
    """The step of the next update for each of them that it would change."""
    previewed = _previewed(backend, stack)
    return {
        planned.urn: str(previewed[planned.urn]["op"])
        for planned in there
        if planned.urn in previewed and previewed[planned.urn]["op"] not in ("same", "refresh", "read")
    }


def document(plan: AdoptionPlan, there: Sequence[Planned]) -> dict[str, Any]:
    """The engine's import file: each resource under the parent and the provider that the program gives it.

    URNs serve as names, which are then unique; a parent that is not in the state yet is imported with its child.
    """
    parents = _new_parents(plan, there)
    known = [urn for planned in there for urn in (planned.parent, planned.provider) if urn and urn not in parents]
    known += [above for urn in parents if (above := _parent(plan, urn)) and above not in parents]
    components = [
        {
            "type": plan.components[urn]["type"],
            "name": urn,
            "logicalName": name_of(urn),
            "component": True,
            **_under(_parent(plan, urn)),
        }
        for urn in parents
    ]
    resources = [
        {
            "type": planned.type,
            "name": planned.urn,
            "logicalName": planned.name,
            "id": planned.id,
            "provider": planned.provider,
            **_under(planned.parent),
        }
        for planned in there
    ]
    return {"nameTable": {urn: urn for urn in known}, "resources": [*components, *resources]}


def _under(parent: str) -> dict[str, str]:
    return {"parent": parent} if parent else {}


def _parent(plan: AdoptionPlan, urn: str) -> str:
    return str(plan.components[urn].get("parent", ""))


def _new_parents(plan: AdoptionPlan, there: Iterable[Planned]) -> list[str]:
    """Parents that the state does not have yet, the outermost first."""
    parents: list[str] = []
    for planned in there:
        chain: list[str] = []
        urn = planned.parent
        while urn in plan.components and urn not in parents:
            chain.insert(0, urn)
            urn = _parent(plan, urn)
        parents += chain
    return parents


def _projects(backend: Backend, stack: str) -> dict[str, str]:
    """The project of each provider of Google Cloud in the state, by the provider's URN."""
    return {
        str(resource["urn"]): str(mapping(resource.get("inputs")).get("project", ""))
        for resource in stacks.resources(backend, stack)
        if resource["type"] == "pulumi:providers:gcp"
    }


def _previewed(backend: Backend, stack: str) -> dict[str, dict[str, Any]]:
    """The steps of a preview by URN."""
    steps: dict[str, dict[str, Any]] = {}

    def add(event: Event) -> None:
        if events.started(event) is not None and (step := events.step(event)) is not None:
            steps[str(step["urn"])] = dict(step)

    outcome = backend.stack(stack).preview(policies=False, on_event=add)
    if outcome.failed:
        raise BackendError("\n".join([f"{stack}: the preview failed:", *outcome.error_lines]))
    return steps
