"""The cases of the alerts: what each rule sees when it fires, when it is quiet, and at its boundary.

Each case is in a project that also holds another environment, whose series have the opposite values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from components.cluster_monitoring import metric_packages
from components.monitoring.catalog import RULES
from components.monitoring.rule import STAGES, alert_name
from components.monitoring.scope import MonitoredDatabase, Scope
from components.monitoring.selection import ActiveRule, MonitoredEnvironment, select
from components.monitoring.windows import Window

Variant = Literal["firing", "quiet", "boundary"]
VARIANTS: tuple[Variant, ...] = ("firing", "quiet", "boundary")

PROJECT = "acme-at-work-production"
_NIGHT = Window(days=(6, 0), opens=22 * 3600, hours=8)
"""Over midnight and over the end of the week; the cases begin on a Thursday."""

SCOPE = Scope(
    project=PROJECT,
    cluster="atwork-production",
    gateway="atwork-production",
    databases=(
        MonitoredDatabase(
            "main-1a2b3c4",
            disk_limit_bytes=1_000_000,
            connections=500,
            standby=True,
            maintenance=Window(days=(0,), opens=23 * 3600, hours=1),
        ),
        MonitoredDatabase(
            "reports-5d6e7f8",
            disk_limit_bytes=9_000_000_000,
            connections=9000,
            standby=True,
            maintenance=Window(days=(1,), opens=3 * 3600, hours=1),
        ),
    ),
    domains=("example.com",),
    builds=True,
    nodes=_NIGHT,
    control_plane=_NIGHT,
)
"""The environment of the cases."""

_OWN = {
    "project": PROJECT,
    "cluster": "atwork-production",
    "database": f"{PROJECT}:main-1a2b3c4",
    "gateway": "atwork-production",
    "host": "orders.example.com",
}
_OTHER = {
    "project": "acme-other",
    "cluster": "atwork-production-2",
    "database": f"{PROJECT}:main-9z9z9z9",
    "gateway": "atwork-production-2",
    "host": "orders.other.example.com",
}

ALL_PACKAGES = metric_packages(("APISERVER", "SCHEDULER", "CONTROLLER_MANAGER", "CADVISOR", "KUBELET"))


def _labels(names: Mapping[str, str]) -> dict[str, str]:
    """The labels that Google adds, by the name that cases use."""
    place = f'project_id="{PROJECT}",location="europe-west1"'
    kube = f'{place},cluster="{names["cluster"]}",instance="gke-managed"'
    system = f'{place},cluster_name="{names["cluster"]}"'
    return {
        "recorded": f'{place},cluster="{names["cluster"]}",namespace="orders"',
        "kubelet": f'{kube},job="kubelet",node="node-1"',
        "kube": f'{kube},job="kube-state-metrics"',
        "apiserver": f'{kube},job="apiserver"',
        "jenkins": f'{place},cluster="{names["cluster"]}",namespace="jenkins",job="jenkins",instance="jenkins-0:http"',
        "k8s_container": f'monitored_resource="k8s_container",{system}',
        "k8s_pod": f'monitored_resource="k8s_pod",{system}',
        "k8s_node": f'monitored_resource="k8s_node",{system}',
        "sql": f'monitored_resource="cloudsql_database",project_id="{PROJECT}",region="europe-west1",'
        f'database_id="{names["database"]}"',
        "nat": f'monitored_resource="nat_gateway",project_id="{PROJECT}",region="europe-west1",router_id="1",'
        f'gateway_name="{names["gateway"]}"',
        "uptime": f'monitored_resource="uptime_url",project_id="{PROJECT}",host="{names["host"]}",'
        f'check_id="{names["host"].replace(".", "-")}"',
        "quota": f'monitored_resource="consumer_quota",project_id="{names["project"]}",'
        'service="compute.googleapis.com",location="europe-west1"',
    }


@dataclass(frozen=True)
class Case:
    """What a rule sees, and the labels of its alert."""

    labels: Mapping[str, str]
    series: tuple[Mapping[str, Any], ...]
    after: int
    """The minute in which the expression becomes true."""

    @classmethod
    def read(cls, path: Path) -> dict[str, Case]:
        """All cases of a file, by the id of the rule."""
        return {
            key: cls(case["labels"], tuple(case["series"]), case.get("after", 0))
            for key, case in yaml.safe_load(path.read_text()).items()
        }


def cases_of(active: ActiveRule, case: Case, rule_path: Path) -> dict[str, Any]:
    """The file of tests of one rule."""
    return {
        "rule_files": [str(rule_path)],
        "evaluation_interval": f"{active.interval}s",
        "tests": [_test(active, case, variant) for variant in VARIANTS],
    }


def due(active: ActiveRule, case: Case) -> int:
    """The minute of the evaluation in which the rule notifies somebody of its firing case."""
    step = active.interval // 60
    return step * math.ceil(case.after / step) + active.minutes


def series_of(case: Case, variant: Variant, length: int) -> list[dict[str, str]]:
    """What a rule sees for some minutes: the environment, and another one that is in the opposite state."""
    return [*_series(case, variant, _OWN, length), *_series(case, _opposite(variant), _OTHER, length)]


def _test(active: ActiveRule, case: Case, variant: Variant) -> dict[str, Any]:
    """One test. A rule that fires does so after its wait, and not one evaluation earlier."""
    notified = due(active, case)
    length = notified + 60
    firing = {"exp_labels": labels_of(case) | {"severity": active.severity}}
    expected: dict[int, list[Any]] = {length: []}
    if variant == "firing":
        expected = {notified: [firing]}
        if active.minutes:
            expected[notified - active.interval // 60] = []
    return {
        "name": f"{active.rule.id} {variant}",
        "interval": "1m",
        "input_series": series_of(case, variant, length),
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": alert_name(active.rule.id), "exp_alerts": alerts}
            for minute, alerts in sorted(expected.items())
        ],
    }


def _opposite(variant: Variant) -> Variant:
    return "quiet" if variant == "firing" else "firing"


def labels_of(case: Case) -> dict[str, str]:
    """The labels of the alert in the firing case, without its severity."""
    return {key: _named(value) for key, value in case.labels.items()}


def _named(value: str) -> str:
    return _OWN[value[1:]] if value.startswith("@") else value


def _series(case: Case, variant: Variant, names: Mapping[str, str], length: int) -> list[dict[str, str]]:
    labels = _labels(names)
    return [
        {
            "series": re.sub(r"@(\w+)", lambda match: labels[match[1]], series["name"]),
            "values": _values(series[variant], length),
        }
        for series in case.series
        if series[variant] is not None
    ]


def _values(value: object, length: int) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value * (length // len(value) + 1)))
    return value if isinstance(value, str) else f"{value}x{length}"


CASES: Mapping[str, Case] = Case.read(Path(__file__).parent / "cases.yaml")
"""By the id of the rule."""


def active_rules() -> dict[str, ActiveRule]:
    """Every rule by its id, as the most important environment has it."""
    rules: dict[str, ActiveRule] = {}
    for stage in reversed(STAGES):
        for active in select(MonitoredEnvironment(stage, ALL_PACKAGES, SCOPE)).active:
            rules.setdefault(active.rule.id, active)
    return {key: rules[key] for key in RULES}
