"""The Cloud SQL instances of an environment."""

from __future__ import annotations

from components.database import Database
from infra.environment import Environment
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime


def make(here: Environment, base: Foundation, runtime: Runtime) -> dict[str, Database]:
    """Instances by the key of their settings."""
    return {
        key: Database(
            f"database-{key}",
            settings,
            region=here.config.region,
            project_id=base.project.id,
            network=base.network,
            workload_pool=runtime.cluster.workload_pool,
            encryption_key=base.keys.key("databases", here.config.region),
            replica_keys={
                place: key_id for place in settings.replica_regions() if (key_id := base.keys.key("databases", place))
            },
            labels=here.labels,
            opts=base.google_options,
        )
        for key, settings in here.config.databases.items()
    }
