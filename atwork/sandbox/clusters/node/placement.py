"""Which pods run on the node of a cluster, by an admission policy of the sandbox: objects stay as users deploy them.

A policy that changes pods when they are created, in namespaces with the ConfigMap `platform`: those of services, and
previews. All other pods, those of the system and of Jenkins, stay on nodes that kwok plays. So do pods that need what
the node does not have yet:

- disks, and volumes of other drivers than that of Secret Manager;
- machines of a certain kind: a selector, an affinity, a runtime class;
- a database of MySQL: all pods of such a namespace;
- Cloud SQL's proxy, as Jobs that give rights: node_data.py runs their SQL.

In a sandbox, a pod also gets a scheduling gate, which the gate of the sandbox removes (atwork/sandbox/verify/gate.py),
and the variables that lead it to its database and its Redis (data_services.py).
"""

from __future__ import annotations

from atwork.sandbox.clusters.api import Api
from atwork.sandbox.clusters.blocked import ADMISSION
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.node.data_services import INSTANCE, REDIS, DataServices
from atwork.sandbox.clusters.node.files import TAINT
from atwork.sandbox.clusters.node.mutations import MutatingPolicy
from components.cluster_settings import CSI_DRIVER
from components.database_job import COMPONENT, COMPONENT_LABEL
from components.service import CONFIG_MAP

_HOST = "kubernetes.io/hostname"
_TOLERATION = f"{{'key': '{TAINT}', 'operator': 'Exists', 'effect': 'NoSchedule'}}"
_CONDITIONS = {
    "scratch-volumes": "!object.spec.?volumes.orValue([]).exists(volume, "
    f"(has(volume.csi) && volume.csi.driver != '{CSI_DRIVER}') || "
    "has(volume.persistentVolumeClaim) || has(volume.ephemeral))",
    "any-machine": "!has(object.spec.nodeSelector) && !has(object.spec.nodeName) && !has(object.spec.runtimeClassName)"
    " && !object.spec.?affinity.?nodeAffinity.hasValue()",
    "no-proxy": f"object.metadata.?labels[?'{COMPONENT_LABEL}'].orValue('') != '{COMPONENT}'",
}
_NO_DATA = f"!has(params.data) || !params.data.exists(name, name in {[INSTANCE, REDIS]})"
# Users of MySQL have no domain (components/database_engine.py).
_NO_MYSQL = "!has(params.data) || !('DATABASE_USER' in params.data) || params.data.DATABASE_USER.contains('@')"
_SELECTOR = f"JSONPatch{{op: 'add', path: '/spec/nodeSelector', value: {{'{_HOST}': '{NODE}'}}}}"


def install(api: Api, data: DataServices | None, *, gated: bool) -> None:
    """Create the policy in a cluster with a node; `gated` if a pod waits for the gate of the sandbox.

    Without data services, pods that need them stay on nodes of kwok.
    """
    additions = [_add("tolerations", _TOLERATION)]
    if gated:
        additions.append(_add("schedulingGates", f"{{'name': '{ADMISSION}'}}"))
    MutatingPolicy(
        "sandbox-node",
        "CREATE",
        "pods",
        conditions={**_CONDITIONS, "data": _NO_DATA if data is None else _NO_MYSQL},
        patches=[*additions, _SELECTOR],
        merged=[_add_variables(data, kind) for kind in ("containers", "initContainers")] if data is not None else [],
        parameter=CONFIG_MAP,
    ).install(api)


def _add(name: str, item: str) -> str:
    """The expression of a patch that adds an item to a list of the pod's specification."""
    return (
        f"has(object.spec.{name})"
        f" ? JSONPatch{{op: 'add', path: '/spec/{name}/-', value: {item}}}"
        f" : JSONPatch{{op: 'add', path: '/spec/{name}', value: [{item}]}}"
    )


def _add_variables(data: DataServices, containers: str) -> str:
    """The expression of containers with variables that they do not set themselves."""
    kind = f"Object.spec.{containers}"
    lists = [
        f"(has(params.data) && {condition} && !each.?env.orValue([]).exists(own, own.name == '{name}')"
        f" ? [{kind}.env{{name: '{name}', value: {value}}}] : [])"
        for name, (condition, value) in data.variables().items()
    ]
    container = f"{kind}{{name: each.name, env: {' + '.join(lists)}}}"
    mapped = f"object.spec.?{containers}.orValue([]).map(each, {container})"
    return f"Object{{spec: Object.spec{{{containers}: {mapped}}}}}"
