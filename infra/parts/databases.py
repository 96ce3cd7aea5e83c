"""The Cloud SQL instances of an environment."""

from __future__ import annotations

from components.database import Database
from components.database_administrator import DatabaseAdministrator
from infra.environment import Environment, through
from infra.parts.foundation import Foundation
from infra.parts.runtime import Runtime


def make(here: Environment, base: Foundation, runtime: Runtime) -> dict[str, Database]:
    """Instances by the key of their settings, with the administrator who gives rights in them."""
    if not here.config.databases:
        return {}
    administrator = DatabaseAdministrator(
        "database-administrator",
        project_id=base.project.id,
        workload_pool=runtime.cluster.workload_pool,
        database_range=here.config.network.nodes,
        opts=through(base.google, runtime.cluster_provider),
    )
    return {
        key: Database(
            f"database-{key}",
            settings,
            region=here.config.region,
            project_id=base.project.id,
            network=base.network,
            workload_pool=runtime.cluster.workload_pool,
            administrator=administrator,
            encryption_key=base.keys.key("databases", here.config.region),
            replica_keys={
                place: key_id for place in settings.replica_regions() if (key_id := base.keys.key("databases", place))
            },
            labels=here.labels,
            others=[f"database-{other}" for other in here.config.databases if other != key],
            opts=base.google_options,
        )
        for key, settings in here.config.databases.items()
    }
