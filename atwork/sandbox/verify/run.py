"""All checks over all environments: from the objects of the simulated clouds to a report."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atwork.access import simulated
from atwork.access.model import AccessModel
from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.verify import admission, flows, identity, images, jenkins, mounts, placement, services
from atwork.sandbox.verify.charts import ChartRefused, refused
from atwork.sandbox.verify.model import Finding, Pod, Report
from atwork.sandbox.verify.world import Environment, Object, environments
from infra.config import read_all as read_stacks
from infra.services import read_all as read_services


@dataclass(frozen=True)
class Plan:
    """The pods that the platform would run, and what their charts bring."""

    pods: Sequence[Pod]
    brought: Mapping[str, Sequence[Object]]
    """Kubernetes objects of charts, by environment."""
    findings: Sequence[Finding]
    """Of charts that do not render."""
    sources: Mapping[str, str]
    numbers: Mapping[str, str]
    """Project numbers by project id, as the stack files state them."""


@dataclass(frozen=True)
class Scene:
    """Everything that the checks look at."""

    everywhere: Mapping[str, Environment]
    """The environments that are up, with what their charts bring."""
    plan: Plan
    access: AccessModel


def plan(objects: Iterable[CloudObject], checkout: Path, helm: Path) -> Plan:
    """Render all charts of the environments that are up."""
    stacks = read_stacks(checkout / "stacks")
    chart = os.environ.get("JENKINS_CHART_DIR")
    pods: list[Pod] = []
    findings: list[Finding] = []
    brought: dict[str, list[Object]] = {}
    sources: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="atwork-verify-") as scratch:
        platform = services.Platform(
            helm, checkout / "delivery", stacks, read_services(checkout / "services"), Path(scratch)
        )
        for name, here in environments(objects).items():
            if name not in stacks:
                continue  # its file is gone, and so is what would run there
            rendered = services.read(platform, here)
            pods += rendered.pods
            findings += rendered.findings
            brought[name] = list(rendered.objects)
            if stacks[name].jenkins is not None:
                image = services.example_image(platform, name)
                try:
                    made = jenkins.read(here, Path(chart) if chart else None, helm, platform.delivery / "vars", image)
                except ChartRefused as error:
                    findings.append(refused(name, "jenkins/jenkins", error))
                    continue
                if made is not None:
                    pods += made.pods
                    brought[name] += made.objects
                    sources[f"{name}/jenkins"] = made.source
    numbers = {config.project.id: config.project.number for config in stacks.values() if config.project.number}
    return Plan(pods, brought, findings, sources, numbers)


def scene(objects: Iterable[CloudObject], planned: Plan) -> Scene:
    """What the planned pods meet in the clouds as they are now."""
    listed = list(objects)
    found = environments(listed)
    everywhere = {
        name: here.with_objects(planned.brought[name]) for name, here in found.items() if name in planned.brought
    }
    return Scene(everywhere, planned, simulated.model(listed, planned.numbers))


def verify(found: Scene, stacks: Sequence[str] = ()) -> Report:
    """The report for some environments, or for all."""
    names = [name for name in found.everywhere if not stacks or name in stacks]
    findings = [finding for finding in found.plan.findings if finding.environment in names]
    shown: list[Pod] = []
    for name in names:
        here = found.everywhere[name]
        pods = [admission.admitted(pod, here) for pod in found.plan.pods if pod.environment == name]
        for pod in pods:
            findings += [*admission.check(pod, here), *placement.check(pod, here), *check(pod, pods, found)]
        findings += [*admission.check_together(pods, here), *placement.check_together(pods, here)]
        shown += pods
    return Report(names, shown, list(dict.fromkeys(findings)), found.plan.sources)


def check(pod: Pod, pods: Sequence[Pod], found: Scene) -> list[Finding]:
    """What keeps a pod from starting and from working once it has a node; `pods` are those of its environment."""
    here = found.everywhere[pod.environment]
    everywhere = list(found.everywhere.values())
    return [
        *identity.check(pod, here, everywhere, found.access),
        *images.check(pod, here, everywhere, found.access),
        *mounts.check(pod, here, found.access),
        *flows.check(pod, pods, here),
    ]
