"""Cloud SQL."""

from __future__ import annotations

from components.monitoring.dashboards.panel import RATIO, Dashboard, Panel

_SQL = "cloudsql_googleapis_com:database_"

DASHBOARD = Dashboard(
    "databases",
    "databases",
    (
        Panel.of("sql-down", "Databases that run", "1"),
        Panel.of("sql-cpu", "CPU", RATIO),
        Panel.of("sql-memory", "Memory", RATIO),
        Panel.of("sql-disk-filling", "Disk, of the limit to which it grows", RATIO),
        Panel(
            "Reads from disk",
            "1/s",
            f"sum by (database_id) (rate({_SQL}disk_read_ops_count{{$databases}}[5m]))",
        ),
        Panel(
            "Writes to disk",
            "1/s",
            f"sum by (database_id) (rate({_SQL}disk_write_ops_count{{$databases}}[5m]))",
        ),
        Panel.of("sql-connections", "Connections, of their limit", RATIO),
        Panel.of("sql-idle-in-transaction", "Connections that keep a transaction open without using it", "1"),
        Panel(
            "Transactions",
            "1/s",
            f"sum by (database_id, transaction_type) (rate({_SQL}postgresql_transaction_count{{$postgres}}[5m]))",
        ),
        Panel.of("sql-transaction-ids", "Transaction IDs in use", RATIO),
        Panel.of("sql-archive-fails", "Logs that were not archived in half an hour", "1"),
        Panel.of("sql-logins-fail", "Logins that failed in ten minutes", "1"),
    ),
)
