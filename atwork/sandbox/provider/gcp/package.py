"""Package `gcp`: the simulated Google Cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from atwork.engine.urn import stack_of
from atwork.errors import SandboxError
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.clusters.api import ApiError
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.provider import schema
from atwork.sandbox.provider.diff import Path, PropertyChange, changes, replaces
from atwork.sandbox.provider.errors import Refused
from atwork.sandbox.provider.gcp import deletion, plan
from atwork.sandbox.provider.gcp.clusters import with_dns_endpoint
from atwork.sandbox.provider.gcp.ids import id_of, references_of
from atwork.sandbox.provider.gcp.outputs import computed_outputs
from atwork.sandbox.provider.gcp.rules import automatic_name_property, is_policy_member, rules_of
from atwork.sandbox.provider.gcp.services import service_of
from atwork.sandbox.provider.names import automatic_name
from atwork.sandbox.provider.package import Package, ResourceRequest
from atwork.sandbox.provider.values import UNKNOWN, Json, reveal
from components.type_tokens import (
    BINARY_AUTHORIZATION_POLICY,
    CLUSTER,
    DATABASE_USER,
    PROJECT_AUDIT_CONFIG,
    PROJECT_SERVICE,
    SERVICE_IDENTITY,
)

_PROJECT_SETTINGS = {BINARY_AUTHORIZATION_POLICY, PROJECT_AUDIT_CONFIG, PROJECT_SERVICE, SERVICE_IDENTITY}


class GoogleCloud(Package):
    """Google Cloud. With a fleet, each GKE cluster has a real API server."""

    name = "gcp"

    def __init__(self, fleet: Fleet | None = None) -> None:
        self._fleet = fleet

    def rules(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The rules of the official provider."""
        return rules_of(token)

    def complete(self, resource: ResourceRequest, old: Mapping[str, Json], seed: bytes) -> dict[str, Json]:
        """The inputs with an automatic name if the type has one and the program gives none."""
        inputs = dict(resource.inputs)
        key = automatic_name_property(resource.token)
        if key and key not in inputs:
            kept = old.get(key) if old.get("__autonamed") else None
            inputs[key] = kept or automatic_name(resource.logical_name, seed, 7, salt=resource.urn)
            inputs["__autonamed"] = True
        return inputs

    def replaces(self, token: str, path: Path, config: Mapping[str, Json]) -> bool:
        """Whether the rules say that the property is immutable."""
        del config
        return replaces(path, *rules_of(token))

    def differences(
        self, resource: ResourceRequest, old: Mapping[str, Json], state: Mapping[str, Json]
    ) -> Iterator[tuple[PropertyChange, bool]]:
        """The changes of the inputs that the official provider plans, and the changes of default labels."""
        token, new = resource.token, resource.inputs
        for change in changes(old, new):
            if not plan.is_no_difference(token, change, new, state):
                forced = plan.forces_replacement(token, change.path, old, new)
                yield change, forced or self.replaces(token, change.path, resource.config)
        labels = plan.labels(new, resource.config, schema.resource(token)["outputs"])
        yield from ((change, False) for change in plan.label_changes(labels, state))

    def deletes_before_replace(self, resource: ResourceRequest, old: Mapping[str, Json]) -> bool:
        """The rule of the bridge: names from the program."""
        del old
        return plan.deletes_before_replace(resource)

    def with_kept_values(self, resource: ResourceRequest, state: Mapping[str, Json]) -> ResourceRequest:
        """Optional and computed properties keep their values; disks keep their size."""
        return replace(resource, inputs=plan.with_kept_values(resource.token, resource.inputs, state))

    def identity(self, resource: ResourceRequest) -> tuple[str, str]:
        """The scope of Google Cloud, and the id in the official provider's format."""
        return "", id_of(resource)

    def scope(self, resource: ResourceRequest) -> str:
        """All of Google Cloud has one scope."""
        del resource
        return ""

    def check_reachable(self, resource: ResourceRequest, cloud: Cloud) -> None:
        """In a project whose APIs are resources, only enabled APIs answer."""
        service = service_of(resource.token)
        project = reveal(resource.inputs).get("project") or resource.config.get("project")
        if service is None or resource.token == PROJECT_SERVICE or not isinstance(project, str):
            return
        if cloud.exists("", f"{project}/{service}") or not cloud.any_with_prefix(PROJECT_SERVICE, f"{project}/"):
            return
        raise Refused(
            f"Error 403: {service} has not been used in project {project} before or it is disabled; enable it by a "
            "projects.Service that this resource waits for"
        )

    def create_is_idempotent(self, token: str) -> bool:
        """Members of IAM policies and settings of the project; two resources for one setting conflict later."""
        return token in _PROJECT_SETTINGS or is_policy_member(token)

    def id_for_import(self, token: str, identity: str) -> str:
        """A database user is imported as PROJECT/INSTANCE/NAME and has the id NAME//INSTANCE."""
        if token == DATABASE_USER and identity.count("/") == 2 and "//" not in identity:
            _, instance, name = identity.split("/")
            return f"{name}//{instance}"
        return identity

    def read_for_import(self, existing: CloudObject) -> tuple[dict[str, Json], dict[str, Json]]:
        """Without `deletionPolicy`, a setting of the provider that Google does not know."""
        inputs = {key: value for key, value in existing.inputs.items() if key != "deletionPolicy"}
        outputs = {key: value for key, value in existing.outputs.items() if key != "deletionPolicy"}
        return inputs, outputs

    def references(self, resource: ResourceRequest) -> set[str]:
        """Networks, clusters, instances, repositories and the like that the inputs refer to."""
        return references_of(resource)

    def check_reference(self, reference: str, cloud: Cloud) -> None:
        """Refuse a reference to a resource that does not exist."""
        if not cloud.exists("", reference):
            raise Refused(f"Error 404: The resource '{reference}' was not found; create it first, or correct the name")

    def outputs(self, resource: ResourceRequest, identity: str) -> dict[str, Json]:
        """The inputs, the computed outputs, and labels as the provider reports them."""
        inputs = {key: value for key, value in resource.inputs.items() if not key.startswith("__")}
        properties = schema.resource(resource.token)["outputs"]
        outputs = {**inputs, **computed_outputs(resource, identity)}
        if self._fleet is not None and resource.token == CLUSTER and identity != UNKNOWN:
            endpoint = self._fleet.reserve(identity, stack_of(resource.urn)).endpoint
            outputs |= with_dns_endpoint(outputs, endpoint)
        for key in ("project", "region"):
            if key in properties and key not in outputs and key in resource.config:
                outputs[key] = resource.config[key]
        outputs |= plan.labels(outputs, resource.config, properties)
        return {key: value for key, value in outputs.items() if key in properties or key == "id"}

    def provision(self, created: CloudObject) -> None:
        """Start the API server of a cluster."""
        if self._fleet is None or created.type != CLUSTER:
            return
        cluster = self._fleet.reserve(created.id, "")
        try:
            self._fleet.start(cluster)
            self._fleet.install_addons(cluster)
        except (SandboxError, ApiError) as error:
            self._fleet.remove(cluster)
            raise Refused(str(error)) from None

    def deprovision(self, deleted: CloudObject) -> None:
        """Stop the API server of a cluster."""
        if self._fleet is not None and deleted.type == CLUSTER:
            self._fleet.remove(self._fleet.reserve(deleted.id, ""))

    def check_delete(self, existing: CloudObject, cloud: Cloud) -> None:
        """Refuse to delete a resource that is protected or in use."""
        deletion.check_delete(existing, cloud)

    def delete(self, existing: CloudObject, cloud: Cloud) -> None:
        """Delete the resource and what is deleted with it."""
        deletion.delete(existing, cloud)
