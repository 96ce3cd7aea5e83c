"""Rules about Cloud SQL."""

from __future__ import annotations

from components.monitoring.rule import AlertRule, Severities, Threshold

_SQL = "cloudsql_googleapis_com:database_"
_DISK = f"max by (database_id) ({_SQL}disk_bytes_used{{$database}}) / $disk_limit_bytes"
_TRANSACTION_IDS = f"max by (database_id) ({_SQL}postgresql_transaction_id_utilization{{$postgres}})"

RULES = (
    AlertRule(
        id="sql-down",
        title="A database does not run",
        value=f"max by (database_id) ({_SQL}up{{$databases}})",
        threshold=Threshold("==", 0),
        minutes=5,
        severities=Severities(production="page", test="ticket"),
        effect_of="database",
    ),
    AlertRule(
        id="sql-cpu",
        title="A database has no CPU left",
        value=f"max by (database_id) ({_SQL}cpu_utilization{{$databases}})",
        threshold=Threshold(">", 90, "%"),
        minutes=15,
        severities=Severities(production="ticket"),
    ),
    AlertRule(
        id="sql-memory",
        title="A database has no memory left",
        value=f"max by (database_id) ({_SQL}memory_utilization{{$databases}})",
        threshold=Threshold(">", 90, "%"),
        minutes=15,
        severities=Severities(production="ticket"),
    ),
    # The disk grows by itself, so that its own utilization says nothing before the limit.
    AlertRule(
        id="sql-disk-filling",
        title="The disk of a database nears its limit",
        value=_DISK,
        threshold=Threshold(">", 85, "%"),
        minutes=10,
        severities=Severities(production="ticket", test="ticket"),
        each_database=True,
    ),
    AlertRule(
        id="sql-disk-full",
        title="The disk of a database is almost at its limit",
        value=_DISK,
        threshold=Threshold(">", 95, "%"),
        minutes=10,
        severities=Severities(production="page"),
        each_database=True,
    ),
    AlertRule(
        id="sql-connections",
        title="A database has few connections left",
        value=f"sum by (database_id) ({_SQL}postgresql_num_backends{{$database}}) / $connections",
        threshold=Threshold(">", 80, "%"),
        minutes=10,
        severities=Severities(production="page", test="note"),
        each_database=True,
    ),
    AlertRule(
        id="sql-idle-in-transaction",
        title="Connections keep transactions open without using them",
        value="sum by (database_id, database) "
        f'({_SQL}postgresql_num_backends_by_state{{$postgres,state="idle_in_transaction"}})',
        threshold=Threshold(">", 10, "connections"),
        minutes=15,
        severities=Severities(production="ticket"),
    ),
    # Autovacuum keeps a healthy instance near 10 %: it freezes at 200 million of 2 billion.
    AlertRule(
        id="sql-transaction-ids",
        title="Vacuum does not keep up with transaction IDs",
        value=_TRANSACTION_IDS,
        threshold=Threshold(">", 20, "%"),
        minutes=30,
        severities=Severities(production="ticket", test="note"),
    ),
    AlertRule(
        id="sql-transaction-ids-low",
        title="A database runs out of transaction IDs",
        value=_TRANSACTION_IDS,
        threshold=Threshold(">", 40, "%"),
        minutes=30,
        severities=Severities(production="page"),
    ),
    AlertRule(
        id="sql-archive-fails",
        title="Logs for point-in-time recovery are not archived",
        value=f"sum by (database_id) (increase({_SQL}replication_log_archive_failure_count{{$postgres}}[30m]))",
        threshold=Threshold(">", 0, "failures"),
        minutes=0,
        # Nothing fails for users; what the logs fill pages by itself (sql-disk-full).
        severities=Severities(production="ticket", test="ticket"),
    ),
    AlertRule(
        id="sql-no-standby",
        title="A database has no standby to fail over to",
        value=f"max by (database_id) ({_SQL}available_for_failover{{$standby}})",
        threshold=Threshold("==", 0),
        minutes=30,
        severities=Severities(production="ticket"),
        effect_of="database",
    ),
    AlertRule(
        id="sql-logins-fail",
        title="Many logins to a database fail",
        value="sum by (database_id) "
        f'(increase({_SQL}network_connection_attempt_count{{$databases,login_status="failed"}}[10m]))',
        threshold=Threshold(">", 20, "logins"),
        minutes=0,
        severities=Severities(production="ticket", test="note"),
    ),
)
