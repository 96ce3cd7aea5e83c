"""Secret Manager: where secrets of services live, and which pods read which of them. Values never pass through here.

Owns: the empty containers, each reader's right to each, the reminder to rotate.
Does not own: values (docs/secrets.md: `gcloud secrets versions add`), how a pod mounts one (the service's chart).

Traps:
- A reader that logs in to a database acts as the Google account of that login (`logins`), also when it mounts a secret.
- Where a secret is kept, and under which key, never changes: another place is another secret.
- A date of the first rotation lies in the future when the secret is made; afterwards Google moves it on, so that it
  is ignored. Google only reminds, on a topic: somebody must listen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import pulumi
import pulumi_gcp as gcp
from pydantic import Field

from components.forms import TextForm
from components.identity import member, principal
from components.settings import LABEL_WORDS, DnsLabel, Moment, Region, Settings, duration, rfc3339

AGENT = "secretmanager.googleapis.com"
"""The service whose agent sends reminders."""

ROTATION_SERVICES = ("pubsub.googleapis.com",)
"""APIs that reminders need."""

SECRET_NAME = TextForm(r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", LABEL_WORDS, "payment-gateway")

SecretName = Annotated[str, SECRET_NAME]


class SecretRotationSettings(Settings):
    """A reminder on the topic `NAMESPACE-secrets`."""

    every_days: Annotated[int, Field(ge=1, le=365)]
    """How often, days."""

    first: Moment
    """The first time, in quotes and with its time zone; in the future when the secret is made."""


class SecretSettings(Settings):
    """One secret of a tenant; its value is added by hand or by a job, never by this program."""

    readers: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """Service accounts of the tenant's namespace that may read it."""

    rotation: SecretRotationSettings | None = None
    """When somebody is reminded to change it."""


class SecretStoreSettings(Settings):
    """How all secrets of an environment are kept."""

    replicas: tuple[Region, ...] = ()
    """Regions that hold a copy; none lets Google choose."""

    recover_days: Annotated[int, Field(ge=1, le=1000)] = 30
    """How long a destroyed version can be brought back."""

    def places(self) -> tuple[str, ...]:
        """Where a key must be to encrypt them; a secret that Google places takes a key of the place `global`."""
        return self.replicas or ("global",)


class Secrets(pulumi.ComponentResource):
    """The secrets of one tenant."""

    ids: dict[str, pulumi.Output[str]]
    """Ids `projects/P/secrets/NAMESPACE-NAME` by name."""

    def __init__(
        self,
        name: str,
        settings: Mapping[SecretName, SecretSettings],
        *,
        store: SecretStoreSettings,
        namespace: str,
        project_number: pulumi.Input[str],
        workload_pool: pulumi.Input[str],
        logins: Mapping[str, pulumi.Input[str]],
        key_in: Callable[[str], pulumi.Input[str] | None],
        agent: pulumi.Input[str] | None,
        protect: bool,
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("atwork:secrets:Secrets", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        topics = [] if agent is None else self._reminders(name, namespace, settings, agent)
        self.ids = {}
        for key, secret in settings.items():
            created = gcp.secretmanager.Secret(
                f"{name}-{key}",
                secret_id=f"{namespace}-{key}",
                replication=_replication(store, key_in),
                rotation=_rotation(secret.rotation),
                topics=[{"name": topic} for topic in topics] if secret.rotation else None,
                version_destroy_ttl=duration(store.recover_days),
                deletion_protection=protect,
                labels=dict(labels),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    protect=protect,
                    ignore_changes=["rotation.nextRotationTime"] if secret.rotation else [],
                ),
            )
            for reader in secret.readers:
                gcp.secretmanager.SecretIamMember(
                    f"{name}-{key}-reader-{reader}",
                    secret_id=created.secret_id,
                    role="roles/secretmanager.secretAccessor",
                    member=member(principal(project_number, workload_pool, namespace, reader), logins.get(reader)),
                    opts=child,
                )
            self.ids[key] = created.id
        self.register_outputs({"ids": self.ids})

    def _reminders(
        self, name: str, namespace: str, settings: Mapping[SecretName, SecretSettings], agent: pulumi.Input[str]
    ) -> list[pulumi.Output[str]]:
        if not any(secret.rotation for secret in settings.values()):
            return []
        child = pulumi.ResourceOptions(parent=self)
        topic = gcp.pubsub.Topic(f"{name}-reminders", name=f"{namespace}-secrets", opts=child)
        grant = gcp.pubsub.TopicIAMMember(
            f"{name}-reminders-agent", topic=topic.id, role="roles/pubsub.publisher", member=agent, opts=child
        )
        # Secret Manager tries the topic when the secret is made: it waits for the right to.
        return [grant.topic]


def _replication(
    store: SecretStoreSettings, key_in: Callable[[str], pulumi.Input[str] | None]
) -> gcp.secretmanager.SecretReplicationArgsDict:
    if not store.replicas:
        key = key_in("global")
        return {"auto": {"customer_managed_encryption": {"kms_key_name": key}} if key is not None else {}}
    replicas: list[gcp.secretmanager.SecretReplicationUserManagedReplicaArgsDict] = []
    for region in store.replicas:
        key = key_in(region)
        replica: gcp.secretmanager.SecretReplicationUserManagedReplicaArgsDict = {"location": region}
        if key is not None:
            replica["customer_managed_encryption"] = {"kms_key_name": key}
        replicas.append(replica)
    return {"user_managed": {"replicas": replicas}}


def _rotation(settings: SecretRotationSettings | None) -> gcp.secretmanager.SecretRotationArgsDict | None:
    if settings is None:
        return None
    return {
        "next_rotation_time": rfc3339(settings.first),
        "rotation_period": duration(settings.every_days),
    }
