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
from atwork.sandbox.verify import (
    admission,
    builds,
    charts,
    flows,
    identity,
    images,
    jenkins,
    mounts,
    placement,
    services,
)
from atwork.sandbox.verify.charts import ChartRefused, refused
from atwork.sandbox.verify.environments import EnvironmentObjects, Object, environments
from atwork.sandbox.verify.model import Pod, PodFinding, VerifyReport
from infra.catalog import read_all as read_services
from infra.config import read_all as read_stacks


@dataclass(frozen=True)
class PodPlan:
    """The pods that the platform runs, and the objects of their charts."""

    pods: Sequence[Pod]
    brought: Mapping[str, Sequence[Object]]
    """Kubernetes objects of charts, by environment."""
    findings: Sequence[PodFinding]
    """Of charts that do not render."""
    sources: Mapping[str, str]
    numbers: Mapping[str, str]
    """Project numbers by project id, as the stack files state them."""


@dataclass(frozen=True)
class CheckContext:
    """The input of the checks."""

    everywhere: Mapping[str, EnvironmentObjects]
    """The environments that are up, with the objects of their charts."""
    plan: PodPlan
    access: AccessModel


def plan(objects: Iterable[CloudObject], checkout: Path, helm: Path) -> PodPlan:
    """Render all charts of the environments that are up."""
    stacks = read_stacks(checkout / "stacks")
    chart_folder = os.environ.get("JENKINS_CHART_DIR")
    chart = Path(chart_folder) if chart_folder else None
    pods: list[Pod] = []
    findings: list[PodFinding] = []
    brought: dict[str, list[Object]] = {}
    sources: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="atwork-verify-") as scratch:
        platform = services.ChartContext(
            helm, checkout / "delivery", stacks, read_services(checkout / "services"), Path(scratch)
        )
        for name, here in environments(objects).items():
            if name not in stacks:
                continue  # without a stack file nothing runs there
            pods += charts.pods(name, here.kind("Job"), "rights")
            rendered = services.read(platform, here)
            pods += rendered.pods
            findings += rendered.findings
            brought[name] = list(rendered.objects)
            if stacks[name].jenkins is not None:
                image = services.example_image(platform, name)
                try:
                    installed = jenkins.read(here, chart, helm, platform.delivery / "vars", image)
                except ChartRefused as error:
                    findings.append(refused(name, "jenkins/jenkins", error))
                    continue
                if installed is not None:
                    pods += installed.pods
                    brought[name] += installed.objects
                    sources[f"{name}/jenkins"] = installed.source
    numbers = {config.project.id: config.project.number for config in stacks.values() if config.project.number}
    return PodPlan(pods, brought, findings, sources, numbers)


def check_context(objects: Iterable[CloudObject], planned: PodPlan) -> CheckContext:
    """The planned pods and the current objects of the clouds."""
    listed = list(objects)
    everywhere = {
        name: here.with_objects(planned.brought[name])
        for name, here in environments(listed).items()
        if name in planned.brought
    }
    return CheckContext(everywhere, planned, simulated.model(listed, planned.numbers))


def verify(context: CheckContext, stacks: Sequence[str] = ()) -> VerifyReport:
    """The report for the given environments, or for all."""
    names = [name for name in context.everywhere if not stacks or name in stacks]
    findings = [finding for finding in context.plan.findings if finding.environment in names]
    shown: list[Pod] = []
    for name in names:
        here = context.everywhere[name]
        pods = [admission.admitted(pod, here) for pod in context.plan.pods if pod.environment == name]
        for pod in pods:
            findings += [*admission.check(pod, here), *builds.check(pod, here)]
            findings += [*placement.check(pod, here), *check(pod, pods, context)]
        findings += [*admission.check_together(pods, here), *placement.check_together(pods, here)]
        shown += pods
    return VerifyReport(names, shown, list(dict.fromkeys(findings)), context.plan.sources)


def check(pod: Pod, pods: Sequence[Pod], context: CheckContext) -> list[PodFinding]:
    """Why a pod with a node would not start or not work; `pods` are those of its environment."""
    here = context.everywhere[pod.environment]
    everywhere = list(context.everywhere.values())
    return [
        *identity.check(pod, here, everywhere, context.access),
        *images.check(pod, here, everywhere, context.access),
        *mounts.check(pod, here, context.access),
        *flows.check(pod, pods, here),
    ]
