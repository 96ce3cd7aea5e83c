"""Charts rendered by Helm, and the pods in what comes out."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atwork.sandbox.verify.model import Finding, Pod, Role
from atwork.sandbox.verify.world import Object


class ChartRefused(Exception):
    """Helm does not render a chart; its own words."""


@dataclass(frozen=True)
class Chart:
    """A chart with what it is given, as one `helm upgrade --install` would take it."""

    folder: Path
    release: str
    namespace: str
    files: Sequence[Path] = ()
    """Files of values, the later ones win."""
    values: Mapping[str, Any] | None = None
    strings: Mapping[str, str] | None = None
    """What is given by --set-string."""


def render(helm: Path, chart: Chart) -> list[Object]:
    """The objects of a release, each with its namespace; `ChartRefused` where Helm refuses."""
    command = [str(helm), "template", chart.release, str(chart.folder), f"--namespace={chart.namespace}"]
    command += [f"--values={path}" for path in chart.files]
    for key, value in (chart.strings or {}).items():
        command += ["--set-string", f"{key}={value}"]
    with tempfile.TemporaryDirectory(prefix="atwork-verify-") as folder:
        if chart.values is not None:
            values = Path(folder, "values.json")
            values.write_text(json.dumps(chart.values))
            command.append(f"--values={values}")
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ChartRefused(" ".join(done.stderr.removeprefix("Error: ").split())[-500:])
    documents = yaml.load_all(done.stdout, Loader=_LOADER)
    return [_placed(one, chart.namespace) for one in documents if isinstance(one, dict)]


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def pods(
    environment: str, objects: Sequence[Object], role: Role, traits: Iterable[str] = (), turn: str = ""
) -> Iterator[Pod]:
    """The pods that the objects of a release bring, hooks included."""
    scaled = {
        (one["spec"]["scaleTargetRef"]["kind"], one["spec"]["scaleTargetRef"]["name"]): int(one["spec"]["maxReplicas"])
        for one in objects
        if one["kind"] == "HorizontalPodAutoscaler"
    }
    for one in objects:
        template = _template(one)
        if template is None:
            continue
        metadata = one["metadata"]
        hook = "helm.sh/hook" in (metadata.get("annotations") or {})
        stated = int(one["spec"].get("replicas", one["spec"].get("parallelism", 1)))
        count = scaled.get((one["kind"], metadata["name"]), stated)
        yield Pod(
            environment,
            metadata["namespace"],
            metadata["name"],
            "smoke-test" if hook else role,
            template["spec"],
            (template.get("metadata") or {}).get("labels") or {},
            group=f"{one['kind']}/{metadata['name']}",
            most=count + _surge(one, count),
            turn=turn,
            traits=frozenset(traits),
        )


def _surge(one: Object, count: int) -> int:
    """Pods beyond the replicas while a Deployment rolls out.

    https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge
    """
    strategy = one["spec"].get("strategy") or {}
    if one["kind"] != "Deployment" or strategy.get("type") == "Recreate":
        return 0
    surge = str((strategy.get("rollingUpdate") or {}).get("maxSurge", "25%"))
    return math.ceil(count * int(surge[:-1]) / 100) if surge.endswith("%") else int(surge)


def refused(environment: str, chart: str, error: ChartRefused) -> Finding:
    """A chart that does not render; `chart` is NAMESPACE/RELEASE."""
    return Finding(
        environment,
        chart,
        "chart",
        f"the chart does not render: {error}",
        "helm upgrade fails, and nothing is deployed",
        "pass the value in delivery/vars, or correct the chart",
        "FailedCreate",
    )


def _template(one: Object) -> Mapping[str, Any] | None:
    match one["kind"]:
        case "Pod":
            return one
        case "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicaSet":
            return one["spec"]["template"]
        case "CronJob":
            return one["spec"]["jobTemplate"]["spec"]["template"]
        case _:
            return None


def _placed(one: dict[str, Any], namespace: str) -> Object:
    metadata = {"namespace": namespace, **(one.get("metadata") or {})}
    return {**one, "metadata": metadata}
