"""The simulated Google Cloud: names, ids, computed outputs, references and guards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from atwork.engine.urn import stack_of
from atwork.errors import SandboxError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.clusters.api import ApiError
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.diff import Change, Path, changes
from atwork.sandbox.provider.diff import replaces as by_rules
from atwork.sandbox.provider.gcp import plan
from atwork.sandbox.provider.gcp.ids import identity, links
from atwork.sandbox.provider.gcp.outputs import CLUSTER, at, computed, servers
from atwork.sandbox.provider.package import Package, Refused, Request, automatic_name
from atwork.sandbox.provider.values import UNKNOWN, Json, reveal

_NAMING = ("project", "location", "region", "zone", "name")
_PROTECTED = {
    "gcp:container/cluster:Cluster": "Cannot destroy cluster because deletion_protection is set to true",
    "gcp:sql/databaseInstance:DatabaseInstance": "Error, failed to delete instance because deletion_protection is set "
    "to true",
    "gcp:secretmanager/secret:Secret": "cannot destroy secretmanager secret without setting deletion_protection=false",
}
_USER = "gcp:sql/user:User"
_PROTECTED_BY_DEFAULT = {"gcp:container/cluster:Cluster", "gcp:sql/databaseInstance:DatabaseInstance"}
# What Google Cloud never deletes: the provider lets go of it, and its name stays taken.
_FOR_EVER = {
    "gcp:kms/keyRing:KeyRing",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:projects/serviceIdentity:ServiceIdentity",
}
SERVICE = "gcp:projects/service:Service"
SERVICES = {
    "artifactregistry": "artifactregistry.googleapis.com",
    "binaryauthorization": "binaryauthorization.googleapis.com",
    "compute": "compute.googleapis.com",
    "container": "container.googleapis.com",
    "dns": "dns.googleapis.com",
    "gkebackup": "gkebackup.googleapis.com",
    "kms": "cloudkms.googleapis.com",
    "monitoring": "monitoring.googleapis.com",
    "networkconnectivity": "networkconnectivity.googleapis.com",
    "pubsub": "pubsub.googleapis.com",
    "secretmanager": "secretmanager.googleapis.com",
    "serviceaccount": "iam.googleapis.com",
    "sql": "sqladmin.googleapis.com",
}
"""The API behind each of the SDK's modules."""
_SWITCHES = {
    "gcp:binaryauthorization/policy:Policy",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:projects/service:Service",
    "gcp:projects/serviceIdentity:ServiceIdentity",
}
# What vanishes with its parent although something of it may still be recorded.
_CHILDREN = {
    "gcp:sql/databaseInstance:DatabaseInstance": ("gcp:sql/database:Database", "gcp:sql/user:User"),
    "gcp:container/cluster:Cluster": ("gcp:container/nodePool:NodePool",),
}


def _is_member(token: str) -> bool:
    """Whether a type is a line of another's policy, which goes with it."""
    return token.lower().endswith("iammember")


@cache
def _automatic(token: str) -> str:
    """The property with a type's name that the provider fills in; "" for a type that always has one given."""
    inputs = schema.resource(token)["inputs"]
    key = plan.AUTOMATIC_NAMES.get(token, "name")
    return key if inputs["properties"].get(key) == "string" and key not in inputs["required"] else ""


@cache
def _table() -> dict[str, dict[str, Any]]:
    return json.loads(resources.files(__name__).joinpath("rules.json").read_text())


class GoogleCloud(Package):
    """Package `gcp`. With a fleet, each GKE cluster has a real API server."""

    name = "gcp"

    def __init__(self, fleet: Fleet | None = None) -> None:
        self._fleet = fleet

    def rules(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The table of facts where it has the type, else that names and places cannot change."""
        table = _table()
        if token in table["resources"]:
            return table["resources"][token], table["objects"]
        properties = schema.resource(token)["inputs"]["properties"]
        if _is_member(token):  # a line of a policy is another line as soon as anything in it differs
            return {key: {"immutable": True} for key in properties}, {}
        return {key: {"immutable": True} for key in properties if key in _NAMING or key.endswith("Id")}, {}

    def completed(self, request: Request, old: Mapping[str, Json], seed: bytes) -> dict[str, Json]:
        """Fill in the name, where the type has one and the program gave none."""
        inputs = dict(request.inputs)
        key = _automatic(request.token)
        if key and key not in inputs:
            kept = old.get(key) if old.get("__autonamed") else None
            inputs[key] = kept or automatic_name(request.logical_name, seed, 7, salt=request.urn)
            inputs["__autonamed"] = True
        return inputs

    def replaces(self, token: str, path: Path, config: Mapping[str, Json]) -> bool:
        """By the facts, property by property."""
        del config
        return by_rules(path, *self.rules(token))

    def differences(
        self, request: Request, old: Mapping[str, Json], state: Mapping[str, Json]
    ) -> Iterator[tuple[Change, bool]]:
        """The inputs that differ, as the provider's plan settles them, and the labels that follow from its defaults."""
        token, new = request.token, request.inputs
        rules, objects = self.rules(token)
        for change in changes(old, new):
            if not plan.settled(token, change, new, state, rules, objects):
                forced = plan.forces(token, change.path, old, new)
                yield change, forced or by_rules(change.path, rules, objects)
        yield from (
            (change, False)
            for change in plan.relabeled(plan.labels(new, request.config, schema.resource(token)["outputs"]), state)
        )

    def delete_first(self, request: Request, old: Mapping[str, Json]) -> bool:
        """By the bridge's rule: for names that the program chose."""
        del old
        return plan.delete_first(request.token, request.inputs, _automatic(request.token))

    def filled(self, request: Request, state: Mapping[str, Json]) -> Request:
        """What is optional and computed stays where the program leaves it out; disks stay as large as they are."""
        rules, objects = self.rules(request.token)
        return replace(request, inputs=plan.filled(request.token, request.inputs, state, rules, objects))

    def identity(self, request: Request) -> tuple[str, str]:
        """All of Google Cloud is one scope."""
        return "", identity(request)

    def scope(self, request: Request) -> str:
        """All of Google Cloud is one scope."""
        del request
        return ""

    def reachable(self, request: Request, cloud: Cloud) -> None:
        """In a project whose APIs are resources, only those answer that are enabled already."""
        service = SERVICES.get(request.token.partition("/")[0].removeprefix("gcp:"))
        project = reveal(request.inputs).get("project") or request.config.get("project")
        if service is None or request.token == SERVICE or not isinstance(project, str):
            return
        if cloud.holds("", f"{project}/{service}") or not cloud.any_below(SERVICE, f"{project}/"):
            return
        raise Refused(
            f"Error 403: {service} has not been used in project {project} before or it is disabled; enable it by a "
            "projects.Service that this resource waits for"
        )

    def idempotent(self, token: str) -> bool:
        """Members of policies and switches of the project; two resources for one of them undo each other later."""
        return token in _SWITCHES or _is_member(token)

    def imported_id(self, token: str, identity: str) -> str:
        """A database user is imported as PROJECT/INSTANCE/NAME and called NAME//INSTANCE."""
        if token == _USER and identity.count("/") == 2 and "//" not in identity:
            _, instance, name = identity.split("/")
            return f"{name}//{instance}"
        return identity

    def imported(self, found: CloudObject) -> tuple[dict[str, Json], dict[str, Json]]:
        """Without `deletionPolicy`, which is the provider's own and never reaches Google."""
        inputs, outputs = ({key: value for key, value in one.items() if key != "deletionPolicy"}
                           for one in (found.inputs, found.outputs))  # fmt: skip
        return inputs, outputs

    def links(self, request: Request) -> set[str]:
        """Networks, clusters, instances, repositories and the like that the inputs name."""
        return links(request)

    def outputs(self, request: Request, identity: str) -> dict[str, Json]:
        """The inputs, what the table computes, and labels as the provider reports them."""
        inputs = {key: value for key, value in request.inputs.items() if not key.startswith("__")}
        known = schema.resource(request.token)["outputs"]
        made = {**inputs, **computed(request, identity)}
        if self._fleet is not None and request.token == CLUSTER and identity != UNKNOWN:
            made |= at(made, self._fleet.reserve(identity, stack_of(request.urn)).endpoint)
        for key in ("project", "region"):
            if key in known and key not in made and key in request.config:
                made[key] = request.config[key]
        made |= plan.labels(made, request.config, known)
        return {key: value for key, value in made.items() if key in known or key == "id"}

    def built(self, made: CloudObject) -> None:
        """Start the API server of a cluster."""
        if self._fleet is None or made.type != CLUSTER:
            return
        cluster = self._fleet.reserve(made.id, "")
        try:
            self._fleet.start(cluster)
            self._fleet.furnish(cluster)
        except (SandboxError, ApiError) as error:
            self._fleet.remove(cluster)
            raise Refused(str(error)) from None

    def dismantled(self, gone: CloudObject) -> None:
        """End the API server of a cluster."""
        if self._fleet is not None and gone.type == CLUSTER:
            self._fleet.remove(self._fleet.reserve(gone.id, ""))

    def deletable(self, found: CloudObject, cloud: Cloud) -> None:
        """Protection first, then use by others."""
        inputs = reveal(found.inputs)
        protected = inputs.get("deletionProtection", found.type in _PROTECTED_BY_DEFAULT)
        if protected and found.type in _PROTECTED:
            raise Refused(f"{_PROTECTED[found.type]}. Set it to false, run `pulumi up`, then destroy")
        if (inputs.get("settings") or {}).get("deletionProtectionEnabled"):
            raise Refused(
                f"Error 400: The instance {found.id} is protected: settings.deletionProtectionEnabled is true"
            )
        if inputs.get("deletionPolicy") == "PREVENT":
            raise Refused(f"{found.id}: deletion_policy is PREVENT; set it to DELETE, run `pulumi up`, then destroy")
        if found.type in _FOR_EVER:
            return
        children = _CHILDREN.get(found.type, ())
        users = [user for user in cloud.users_of(found.id) if user[0] not in children and not _is_member(user[0])]
        if users:
            kind = found.type.rpartition(":")[2].lower()
            raise Refused(f"Error 400: The {kind} resource '{found.id}' is already being used by '{users[0][1]}'")

    def gone(self, found: CloudObject, cloud: Cloud) -> None:
        """Delete it with its children; a cluster takes along everything inside it."""
        if found.type in _FOR_EVER or reveal(found.inputs).get("deletionPolicy") == "ABANDON":
            cloud.release(found)
            return
        for kind, name in cloud.users_of(found.id):
            if kind in _CHILDREN.get(found.type, ()) or _is_member(kind):
                cloud.delete("", kind, name)
        cloud.delete("", found.type, found.id)
        if found.type == CLUSTER:
            for one in servers(found):
                cloud.delete_scope(one)
