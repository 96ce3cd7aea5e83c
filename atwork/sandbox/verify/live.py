"""A real cluster as the checks see it: its own objects in place of what the program wrote, its pods by what they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.selectors import selects
from atwork.sandbox.verify.model import Pod, Role
from atwork.sandbox.verify.world import Environment, Object
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


def environment(known: Environment, api: Api) -> Environment:
    """The environment with the objects that its cluster has."""
    kinds = {kind for _, kind in _KINDS}
    noted = {key: one for key, one in known.kubernetes.items() if key[0] not in kinds}
    there = [{**one, "kind": kind} for version, kind in _KINDS for one in _all(api, version, kind)]
    return Environment(known.name, known.google, noted).with_objects(there)


def pod(found: Mapping[str, Any], here: Environment) -> Pod:
    """A pod of the cluster."""
    metadata = found["metadata"]
    labels = metadata.get("labels") or {}
    namespace = str(metadata["namespace"])
    name = str(labels.get(_STORE_LABEL) or metadata["name"])
    role, traits = _role(labels, namespace), _traits(namespace, here)
    return Pod(here.name, namespace, name, role, found["spec"], labels, traits=traits)


def _role(labels: Mapping[str, str], namespace: str) -> Role:
    if selects({"matchLabels": CONTROLLER_LABELS}, labels):
        return "controller"
    if _STORE_LABEL in labels:
        return "store"
    if namespace in _AGENTS:
        return _AGENTS[namespace]
    if namespace.startswith(f"{names.CONTROLLER_NAMESPACE}-"):
        return "deploy"
    if "app.kubernetes.io/instance" in labels:
        return "service"
    return "other"


def _traits(namespace: str, here: Environment) -> frozenset[str]:
    """What the platform tells the services of a namespace of their surroundings."""
    facts = (here.kubernetes.get(("ConfigMap", namespace, CONFIG_MAP)) or {}).get("data") or {}
    stores = {f"store-{name}" for name, store in STORES.items() if store.variable in facts}
    return frozenset(stores | ({"database"} if "DATABASE_INSTANCE" in facts else set()))


def _all(api: Api, version: str, kind: str) -> list[Object]:
    try:
        return list(api.all(api.place(version, kind).path()))
    except ApiError as error:
        if error.code == 404:
            return []
        raise
