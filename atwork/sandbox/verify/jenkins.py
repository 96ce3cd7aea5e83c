"""The pods of Jenkins from the values of its chart: the controller and every kind of agent.

If JENKINS_CHART_DIR names the chart, Helm renders the controller. Otherwise it is described here, with the defaults of
the chart's values.yaml for keys that the program omits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atwork.sandbox.verify import charts
from atwork.sandbox.verify.environments import EnvironmentObjects, Object
from atwork.sandbox.verify.model import Pod
from components.jenkins import names, traffic
from components.type_tokens import RELEASE

BUILDS = "builds"
"""Group of the pods in the cloud of the builders, which share a limit in two namespaces."""

_CHART_RESOURCES = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"cpu": "2000m", "memory": "4096Mi"}}
"""`controller.resources` of the chart, which Helm merges into ours.
https://github.com/jenkinsci/helm-charts/blob/main/charts/jenkins/values.yaml"""

_CHART_CAP = 10
"""`agent.containerCap` of the chart."""


@dataclass(frozen=True)
class RenderedJenkins:
    """The pods, the objects of the chart, and the source of the controller."""

    pods: Sequence[Pod]
    objects: Sequence[Object]
    source: str


def read(
    environment: EnvironmentObjects, chart: Path | None, helm: Path, library: Path, image: str
) -> RenderedJenkins | None:
    """Jenkins in an environment; None if it has none. `image` is a candidate that a test runs.

    `library` is the folder `delivery/vars`, whose pipelines add the container under test.
    """
    release = next((item for item in environment.all(RELEASE) if str(item["chart"]).endswith("jenkins")), None)
    if release is None:
        return None
    values, namespace = release["values"], str(release["namespace"])
    agents = list(_agents(environment.name, values, _app(library, image)))
    if chart is not None:
        rendered = charts.render(helm, charts.Chart(chart, str(release["name"]), namespace, values=values))
        controller = list(charts.pods(environment.name, rendered, "controller", _traits(values)))
        return RenderedJenkins([*controller, *agents], rendered, f"chart {chart}, rendered by helm")
    account = {"kind": "ServiceAccount", "metadata": {"name": values["serviceAccount"]["name"], "namespace": namespace}}
    source = "described from the values; JENKINS_CHART_DIR names a checkout of the chart to render it"
    extra = list((values.get("extraObjects") or {}).values())
    return RenderedJenkins([_controller(environment.name, namespace, values), *agents], [account, *extra], source)


def _controller(environment: str, namespace: str, values: Mapping[str, Any]) -> Pod:
    """The minimum of the chart's StatefulSet: two init containers, Jenkins, and the reloader of its configuration."""
    controller = values["controller"]
    image, reloader = _image(controller["image"]), controller["sidecars"]["configAutoReload"]
    given = controller.get("resources") or {}
    resources = {kind: {**_CHART_RESOURCES[kind], **(given.get(kind) or {})} for kind in _CHART_RESOURCES}
    security = controller.get("containerSecurityContext") or {}
    reload = {
        "image": _image(reloader["image"]),
        "resources": reloader.get("resources") or {},
        "securityContext": reloader.get("containerSecurityContext") or security,
    }
    mounted = [(secret["name"], secret["keyName"]) for secret in controller.get("additionalExistingSecrets") or ()]
    if controller["admin"].get("createSecret", True) and "existingSecret" in controller["admin"]:
        mounted.append((controller["admin"]["existingSecret"], "jenkins-admin-user"))
    secrets = [{"secret": {"name": name, "items": [{"key": key, "path": f"{name}-{key}"}]}} for name, key in mounted]
    spec = {
        "serviceAccountName": values["serviceAccount"]["name"],
        "securityContext": controller.get("podSecurityContextOverride") or {},
        "priorityClassName": controller.get("priorityClassName"),
        "nodeSelector": controller.get("nodeSelector") or {},
        "tolerations": controller.get("tolerations") or [],
        "initContainers": [
            {"name": "config-reload-init", **reload},
            {
                "name": "init",
                "image": image,
                "securityContext": security,
                "resources": controller.get("initContainerResources") or resources,
            },
        ],
        "containers": [
            {"name": "jenkins", "image": image, "securityContext": security, "resources": resources},
            {"name": "config-reload", **reload},
        ],
        "volumes": [
            {"name": "jenkins-home", "persistentVolumeClaim": {"claimName": values["persistence"]["existingClaim"]}},
            {"name": "jenkins-secrets", "projected": {"sources": secrets}},
            {"name": "tmp-volume", "emptyDir": {}},
            *(values["persistence"].get("volumes") or ()),
        ],
    }
    labels, traits = traffic.CONTROLLER_LABELS, _traits(values)
    return Pod(environment, namespace, "jenkins-0", "controller", spec, labels, group="jenkins", traits=traits)


def _traits(values: Mapping[str, Any]) -> frozenset[str]:
    route = values["controller"].get("httpRoute") or {}
    return frozenset({"gateway"} if route.get("enabled") else ())


def _agents(environment: str, values: Mapping[str, Any], app: Mapping[str, Any]) -> Iterator[Pod]:
    """Pods in the cloud of the builders, then a pod for each cloud with its own permissions."""
    common = values["agent"]
    base = _merged(_jnlp(common), _spec(common))
    cap = int(common.get("containerCap") or _CHART_CAP)
    templates: Mapping[str, Mapping[str, Any]] = values.get("additionalAgents") or {}
    yield Pod(environment, common["namespace"], "base", "build", base, group=BUILDS, most=cap)
    stores = {name: _spec(template) for name, template in templates.items() if name.startswith("store-")}
    for name, template in templates.items():
        merged = {**common, **template}
        spec = {**_merged(base, _spec(template)), "serviceAccountName": merged["serviceAccount"]}
        testing = merged["namespace"] == names.TESTS_NAMESPACE
        if testing:
            spec = _merged(spec, app)
        role = "test" if testing else "build"
        yield Pod(environment, merged["namespace"], name, role, spec, group=BUILDS, most=cap)
        if name == "test" and stores:
            for store in stores.values():
                spec = _merged(spec, store)
            yield Pod(environment, merged["namespace"], "test-all-stores", role, spec, group=BUILDS, most=cap)
    for name, cloud in (values.get("additionalClouds") or {}).items():
        agent = {**common, **cloud["agent"]}
        yield Pod(
            environment,
            agent["namespace"],
            name,
            "platform" if names.is_platform_cloud(name) else "deploy",
            _merged(_jnlp(agent), _spec(agent)),
            group="agents",
            most=int(agent["containerCap"]),
        )


def _jnlp(agent: Mapping[str, Any]) -> dict[str, Any]:
    """The container of the agent, which the chart writes."""
    names_in_pod = {"ephemeralStorage": "ephemeral-storage"}
    resources = {
        kind: {names_in_pod.get(name, name): amount for name, amount in amounts.items()}
        for kind, amounts in (agent.get("resources") or {}).items()
    }
    return {
        "serviceAccountName": agent["serviceAccount"],
        "containers": [{"name": "jnlp", "image": _image(agent["image"]), "resources": resources}],
        "volumes": [{"name": "workspace-volume", "emptyDir": {}}],
    }


def _app(library: Path, image: str) -> Mapping[str, Any]:
    """The container under test, as the pipeline library adds it."""
    template = re.search(r'yaml: """\\\n(.*?)"""', (library / "agents.groovy").read_text(), re.DOTALL)
    if template is None:
        raise charts.ChartRefused(f"{library / 'agents.groovy'}: no pod template for tests; keep `yaml:` in `test`")
    text = template[1].replace("${testImage}", image).replace("${stores.variables(service.stores)}", "[]")
    return yaml.safe_load(text)["spec"]


def _spec(template: Mapping[str, Any]) -> Mapping[str, Any]:
    return (yaml.safe_load(template.get("yamlTemplate") or "") or {}).get("spec") or {}


def _image(parts: Mapping[str, str]) -> str:
    return f"{parts['registry']}/{parts['repository']}:{parts['tag']}"


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two pod specs as the Kubernetes plugin merges them: lists by name, later values win."""
    result = dict(under)
    for key, value in over.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = _merged(before, value)
        elif (
            isinstance(before, list) and isinstance(value, list) and key in ("containers", "initContainers", "volumes")
        ):
            result[key] = _by_name(before, value)
        else:
            result[key] = value
    return result


def _by_name(under: list[dict[str, Any]], over: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result = {item["name"]: item for item in under}
    for item in over:
        result[item["name"]] = _merged(result.get(item["name"], {}), item)
    return list(result.values())
