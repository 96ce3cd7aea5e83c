"""The order in which environments are updated and receive releases, and whose approval they need.

Nothing here depends on an environment's name: the order follows from `upstream`, `environment.kind` and
`environment.tier`, approval from `environment.tier` and from the approvers in the upstream's delivery section.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Commands that only list stacks start without the providers' SDKs, which the settings of components load.
    from infra.stack import StackConfig


class Stage(StrEnum):
    """When a change reaches an environment; the members are in that order."""

    BUILD = "build"
    """Reads no other environment."""
    TEST = "test"
    PRODUCTION = "production"
    EPHEMERAL = "ephemeral"
    """After its upstream, in parallel with the others: nothing waits for it."""

    @classmethod
    def of(cls, upstream: str | None, kind: str, tier: str | None) -> Stage:
        """The stage of an environment from the three settings that decide it."""
        if kind != "long-lived":
            return cls.EPHEMERAL
        if upstream is None:
            return cls.BUILD
        return cls.TEST if tier == cls.TEST else cls.PRODUCTION


def stage(environment: StackConfig) -> Stage:
    """The stage of an environment."""
    return Stage.of(environment.upstream, environment.environment.kind, environment.environment.tier)


def stage_of_document(settings: Mapping[str, Any]) -> Stage:
    """The stage of a stack file's settings that are not validated yet; what cannot be read counts as missing."""
    environment = settings.get("environment")
    environment = environment if isinstance(environment, dict) else {}
    return Stage.of(settings.get("upstream"), str(environment.get("kind", "long-lived")), environment.get("tier"))


def in_order(stages: Mapping[str, Stage]) -> list[str]:
    """Names of environments in the order of their stages, and by name within a stage."""
    order = list(Stage)
    return sorted(stages, key=lambda name: (order.index(stages[name]), name))


def release_order(environments: Mapping[str, StackConfig]) -> list[str]:
    """The environments that releases reach, in order: those that last and have an upstream."""
    stages = {name: stage(environment) for name, environment in environments.items()}
    return in_order({name: here for name, here in stages.items() if here in (Stage.TEST, Stage.PRODUCTION)})


def approvers(environments: Mapping[str, StackConfig], name: str) -> tuple[str, ...]:
    """The people of whom one must approve an update; empty where none is needed.

    Those who approve deploys; for a production environment that Jenkins does not deploy to, its administrators.
    """
    environment = environments[name]
    upstream = environments.get(environment.upstream or "")
    if upstream is None:
        return ()
    deploy = upstream.deploy_targets().get(name)
    people = (deploy.approvers or ()) if deploy is not None else ()
    if not people and upstream.jenkins is not None and stage(environment) is Stage.PRODUCTION:
        people = upstream.jenkins.admins
    return tuple(sorted(people))
