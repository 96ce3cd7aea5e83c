"""Charts rendered by Helm, and the pods of their objects."""

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

from atwork.sandbox.verify.environments import Object
from atwork.sandbox.verify.model import Pod, PodFinding, Role


class ChartRefused(Exception):
    """Helm does not render a chart; the message is Helm's error."""


@dataclass(frozen=True)
class Chart:
    """A chart with its values, as for `helm upgrade --install`."""

    folder: Path
    release: str
    namespace: str
    files: Sequence[Path] = ()
    """Files of values; later files win."""
    values: Mapping[str, Any] | None = None
    strings: Mapping[str, str] | None = None
    """Values for --set-string."""


def render(helm: Path, chart: Chart) -> list[Object]:
    """The objects of a release, each with its namespace; `ChartRefused` if Helm fails."""
    command = [str(helm), "template", chart.release, str(chart.folder), f"--namespace={chart.namespace}"]
    command += [f"--values={path}" for path in chart.files]
    for key, value in (chart.strings or {}).items():
        command += ["--set-string", f"{key}={value}"]
    with tempfile.TemporaryDirectory(prefix="atwork-verify-") as folder:
        if chart.values is not None:
            values = Path(folder, "values.json")
            values.write_text(json.dumps(chart.values))
            command.append(f"--values={values}")
        completed = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if completed.returncode:
        raise ChartRefused(" ".join(completed.stderr.removeprefix("Error: ").split())[-500:])
    documents = yaml.load_all(completed.stdout, Loader=_LOADER)
    return [_with_namespace(document, chart.namespace) for document in documents if isinstance(document, dict)]


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def pods(
    environment: str, objects: Sequence[Object], role: Role, traits: Iterable[str] = (), turn: str = ""
) -> Iterator[Pod]:
    """The pods of the objects of a release, including those of hooks."""
    scaled = {
        (scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"]): int(
            scaler["spec"]["maxReplicas"]
        )
        for scaler in objects
        if scaler["kind"] == "HorizontalPodAutoscaler"
    }
    for workload in objects:
        template = _template(workload)
        if template is None:
            continue
        metadata = workload["metadata"]
        test = "test" in (metadata.get("annotations") or {}).get("helm.sh/hook", "").split(",")
        stated = int(workload["spec"].get("replicas", workload["spec"].get("parallelism", 1)))
        count = scaled.get((workload["kind"], metadata["name"]), stated)
        yield Pod(
            environment,
            metadata["namespace"],
            metadata["name"],
            "smoke-test" if test else role,
            template["spec"],
            (template.get("metadata") or {}).get("labels") or {},
            group=f"{workload['kind']}/{metadata['name']}",
            most=count + _surge(workload, count),
            turn=turn,
            traits=frozenset(traits),
        )


def _surge(workload: Object, count: int) -> int:
    """Pods in addition to the replicas while a Deployment rolls out.

    https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-surge
    """
    strategy = workload["spec"].get("strategy") or {}
    if workload["kind"] != "Deployment" or strategy.get("type") == "Recreate":
        return 0
    surge = str((strategy.get("rollingUpdate") or {}).get("maxSurge", "25%"))
    return math.ceil(count * int(surge[:-1]) / 100) if surge.endswith("%") else int(surge)


def refused(environment: str, chart: str, error: ChartRefused) -> PodFinding:
    """The finding for a chart that does not render; `chart` is NAMESPACE/RELEASE."""
    return PodFinding(
        environment,
        chart,
        "chart",
        f"the chart does not render: {error}",
        "helm upgrade fails, and nothing is deployed",
        "pass the value in delivery/vars, or correct the chart",
        "FailedCreate",
    )


def _template(workload: Object) -> Mapping[str, Any] | None:
    match workload["kind"]:
        case "Pod":
            return workload
        case "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicaSet":
            return workload["spec"]["template"]
        case "CronJob":
            return workload["spec"]["jobTemplate"]["spec"]["template"]
        case _:
            return None


def _with_namespace(manifest: dict[str, Any], namespace: str) -> Object:
    metadata = {"namespace": namespace, **(manifest.get("metadata") or {})}
    return {**manifest, "metadata": metadata}
