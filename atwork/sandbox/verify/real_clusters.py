"""A real cluster for the checks: its objects instead of those in the program, and its pods with their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.selectors import selects
from atwork.sandbox.verify.environments import EnvironmentObjects, Object
from atwork.sandbox.verify.model import Pod, Role
from components.database_job import COMPONENT, COMPONENT_LABEL
from components.jenkins import names
from components.jenkins.stores import STORES
from components.jenkins.traffic import CONTROLLER_LABELS
from components.service import CONFIG_MAP

_KINDS = (
    ("v1", "ConfigMap"),
    ("v1", "Namespace"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"),
)
_STORE_LABEL = "atwork.dev/store"
_AGENTS: Mapping[str, Role] = {names.AGENTS_NAMESPACE: "build", names.TESTS_NAMESPACE: "test"}


def environment(known: EnvironmentObjects, api: Api) -> EnvironmentObjects:
    """The environment with the objects of its cluster."""
    kinds = {kind for _, kind in _KINDS}
    recorded = {key: item for key, item in known.kubernetes.items() if key[0] not in kinds}
    live = [{**item, "kind": kind} for version, kind in _KINDS for item in _all(api, version, kind)]
    return EnvironmentObjects(known.name, known.google, recorded).with_objects(live)


def pod(manifest: Mapping[str, Any], here: EnvironmentObjects) -> Pod:
    """A pod of the cluster."""
    metadata = manifest["metadata"]
    labels = metadata.get("labels") or {}
    namespace = str(metadata["namespace"])
    name = str(labels.get(_STORE_LABEL) or metadata["name"])
    role, traits = _role(labels, namespace), _traits(namespace, here)
    return Pod(here.name, namespace, name, role, manifest["spec"], labels, traits=traits)


def _role(labels: Mapping[str, str], namespace: str) -> Role:
    if selects({"matchLabels": CONTROLLER_LABELS}, labels):
        return "controller"
    if _STORE_LABEL in labels:
        return "store"
    if labels.get(COMPONENT_LABEL) == COMPONENT:
        return "rights"
    if namespace in _AGENTS:
        return _AGENTS[namespace]
    if namespace.startswith(f"{names.CONTROLLER_NAMESPACE}-"):
        return "deploy"
    if "app.kubernetes.io/instance" in labels:
        return "service"
    return "other"


def _traits(namespace: str, here: EnvironmentObjects) -> frozenset[str]:
    """Traits of the pods in a namespace, from the ConfigMap that the platform writes for services."""
    facts = (here.kubernetes.get(("ConfigMap", namespace, CONFIG_MAP)) or {}).get("data") or {}
    traits = {f"store-{name}" for name, store in STORES.items() if store.variable in facts}
    if "REDIS_AUTH" in facts:  # Memorystore for Valkey, and no store next to the pods
        traits = traits - {"store-redis"} | {"redis"}
    return frozenset(traits | ({"database"} if "DATABASE_INSTANCE" in facts else set()))


def _all(api: Api, version: str, kind: str) -> list[Object]:
    try:
        return list(api.all(api.place(version, kind).path()))
    except ApiError as error:
        if error.code == 404:
            return []
        raise
