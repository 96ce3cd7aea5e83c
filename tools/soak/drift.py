"""Changes in the cloud that no update made, and the refreshes that read them."""

from __future__ import annotations

from atwork.engine.urn import name_of
from atwork.sandbox.cloud import CloudObject
from components.type_tokens import NODE_POOL, PROJECT_MEMBER
from tools.soak.life import Life, SoakEnvironment


def refresh(life: Life, environment: SoakEnvironment) -> str:
    """Put secrets into the cloud, then let the engine read all resources."""
    life.plant(environment)
    life.ended(life.engines.pulumi("refresh", "-s", environment.name, "--yes", "--skip-preview"))
    environment.drifted.clear()
    return "secrets were added"


def drift(life: Life, environment: SoakEnvironment) -> str:
    """Change an object without Pulumi; `up --refresh` restores it."""
    pool = life.chance.choice(_existing(life, environment, NODE_POOL))
    life.ended(
        life.engines.atwork("sandbox", "drift", environment.name, pool.urn, "autoscaling.totalMaxNodeCount", "50")
    )
    life.figures["changes behind"] += 1
    _restore(life, environment)
    return f"{name_of(pool.urn)} had 50 nodes"


def lost(life: Life, environment: SoakEnvironment) -> str:
    """Delete an object without Pulumi; `up --refresh` creates it again."""
    types = (
        PROJECT_MEMBER,
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    )
    deleted = life.chance.choice(_existing(life, environment, *types))
    life.ended(life.engines.atwork("sandbox", "drift", environment.name, deleted.urn, "--delete"))
    life.figures["changes behind"] += 1
    _restore(life, environment)
    return f"{name_of(deleted.urn)} was deleted"


def _existing(life: Life, environment: SoakEnvironment, *types: str) -> list[CloudObject]:
    """Objects of some types, by ID; an environment whose first update was canceled may have none and is updated."""

    def matching() -> list[CloudObject]:
        return sorted((item for item in life.objects(environment) if item.type in types), key=lambda item: item.id)

    if not matching():
        life.up(environment)
    return matching()


def _restore(life: Life, environment: SoakEnvironment) -> None:
    life.ended(life.engines.pulumi("up", "-s", environment.name, "--yes", "--skip-preview", "--refresh"))
    environment.drifted.clear()
