"""Pods of builds: what Jenkins composes from the templates of the platform and the YAML of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from atwork.errors import SandboxError


@dataclass(frozen=True)
class PodTemplate:
    """The containers of a pod, and the account of Jenkins' cluster that it runs as."""

    namespace: str
    account: str
    stores: Sequence[Mapping[str, Any]]
    """Containers that are ready before the first step."""
    containers: Mapping[str, Mapping[str, Any]]
    """By name."""


def compose(values: Mapping[str, Any], arguments: Mapping[str, Any]) -> PodTemplate:
    """The pod of a `podTemplate` step with these arguments."""
    cloud = arguments.get("cloud")
    if cloud is not None and cloud not in values["additionalClouds"]:
        raise SandboxError(f"there is no cloud {cloud}; clouds: {', '.join(values['additionalClouds'])}")
    base = values["agent"] if cloud is None else values["additionalClouds"][cloud]["agent"]
    names = [name for name in str(arguments.get("inheritFrom") or "").split() if name != cloud]
    unknown = [name for name in names if name not in values["additionalAgents"]]
    if unknown:
        raise SandboxError(f"there is no pod template {', '.join(unknown)}")
    parts = [base, *(values["additionalAgents"][name] for name in names)]
    texts = [str(part["yamlTemplate"]) for part in parts] + ([arguments["yaml"]] if arguments.get("yaml") else [])
    specs = [yaml.safe_load(text)["spec"] or {} for text in texts]
    containers: dict[str, Mapping[str, Any]] = {}
    for container in (each for spec in specs for each in spec.get("containers", ())):
        containers[container["name"]] = {**containers.get(container["name"], {}), **container}
    return PodTemplate(
        arguments.get("namespace") or _last(parts, "namespace"),
        _last(parts, "serviceAccount"),
        [store for spec in specs for store in spec.get("initContainers", ())],
        containers,
    )


def _last(parts: Sequence[Mapping[str, Any]], key: str) -> str:
    return str([part[key] for part in parts if key in part][-1])
