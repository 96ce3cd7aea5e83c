"""Tests of alert rules with promtool: the cases of cases.yaml, each in a project that also holds another environment."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from rich.console import Console

from atwork.toolchain import programs
from components.monitoring.rule import alert_name
from components.monitoring.rule_file import rule_file
from components.monitoring.scope import MonitoredDatabase, Scope
from components.monitoring.selection import ActiveRule

Variant = Literal["firing", "quiet", "boundary"]
Change = Callable[[ActiveRule], ActiveRule]
VARIANTS: tuple[Variant, ...] = ("firing", "quiet", "boundary")

PROJECT = "acme-at-work-production"
SCOPE = Scope(
    project=PROJECT,
    cluster="atwork-production",
    gateway="atwork-production",
    databases=(
        MonitoredDatabase("main-1a2b3c4", disk_limit_bytes=1_000_000, connections=500, standby=True),
        MonitoredDatabase("reports-5d6e7f8", disk_limit_bytes=9_000_000_000, connections=9000, standby=True),
    ),
    builds=True,
)

_OWN = {
    "project": PROJECT,
    "cluster": "atwork-production",
    "database": f"{PROJECT}:main-1a2b3c4",
    "gateway": "atwork-production",
}
_OTHER = {
    "project": "acme-other",
    "cluster": "atwork-production-2",
    "database": f"{PROJECT}:main-9z9z9z9",
    "gateway": "atwork-production-2",
}


def _labels(names: Mapping[str, str]) -> dict[str, str]:
    """The labels that Google adds, by the name that cases use."""
    place = f'project_id="{PROJECT}",location="europe-west1"'
    kube = f'{place},cluster="{names["cluster"]}",instance="gke-managed"'
    system = f'{place},cluster_name="{names["cluster"]}"'
    return {
        "kubelet": f'{kube},job="kubelet",node="node-1"',
        "kube": f'{kube},job="kube-state-metrics"',
        "apiserver": f'{kube},job="apiserver"',
        "k8s_container": f'monitored_resource="k8s_container",{system}',
        "k8s_pod": f'monitored_resource="k8s_pod",{system}',
        "k8s_node": f'monitored_resource="k8s_node",{system}',
        "sql": f'monitored_resource="cloudsql_database",project_id="{PROJECT}",region="europe-west1",'
        f'database_id="{names["database"]}"',
        "nat": f'monitored_resource="nat_gateway",project_id="{PROJECT}",region="europe-west1",router_id="1",'
        f'gateway_name="{names["gateway"]}"',
        "quota": f'monitored_resource="consumer_quota",project_id="{names["project"]}",'
        'service="compute.googleapis.com",location="europe-west1"',
    }


@dataclass(frozen=True)
class Case:
    """What a rule sees, and the labels of its alert."""

    labels: Mapping[str, str]
    series: tuple[Mapping[str, Any], ...]
    after: int

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
        "tests": [_test(active, case, variant, active.interval // 60) for variant in VARIANTS],
    }


def _test(active: ActiveRule, case: Case, variant: Variant, step: int) -> dict[str, Any]:
    """One test. A rule that fires does so after its wait, and not one evaluation earlier."""
    start = step * math.ceil(case.after / step)
    due = start + active.minutes
    length = due + 60
    firing = {"exp_labels": {key: _named(value) for key, value in case.labels.items()} | {"severity": active.severity}}
    expected: dict[int, list[Any]] = {length: []}
    if variant == "firing":
        expected = {due: [firing]}
        if active.minutes:
            expected[due - step] = []
    return {
        "name": f"{active.rule.id} {variant}",
        "interval": "1m",
        "input_series": [*_series(case, variant, _OWN, length), *_series(case, _opposite(variant), _OTHER, length)],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": alert_name(active.rule.id), "exp_alerts": alerts}
            for minute, alerts in sorted(expected.items())
        ],
    }


def _opposite(variant: Variant) -> Variant:
    return "quiet" if variant == "firing" else "firing"


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


@dataclass(frozen=True)
class Outcome:
    """The result of promtool."""

    passed: bool
    output: str

    @property
    def failed(self) -> frozenset[str]:
        """The names of the tests that failed."""
        return frozenset(re.findall(r"name: ([a-z-]+ (?:firing|quiet|boundary))", self.output))


def check(folder: Path, rules: Iterable[ActiveRule]) -> Outcome:
    """`promtool check rules`, with every lint as an error."""
    return _run("check", "rules", "--lint=all", "--lint-fatal", str(_write(folder, "rules", rule_file(rules))))


def run(
    folder: Path, rules: Iterable[ActiveRule], cases: Mapping[str, Case], change: Change = lambda active: active
) -> Outcome:
    """`promtool test rules` with all cases of the rules; `change` makes rules wrong after their cases are written.

    A file for each rule: promtool evaluates all rules of a file for each test.
    """
    files: list[Path] = []
    for active in rules:
        path = _write(folder, f"{active.rule.id}-rule", rule_file([change(active)]))
        files.append(_write(folder, f"{active.rule.id}-cases", cases_of(active, cases[active.rule.id], path)))
    return _run("test", "rules", *map(str, files))


def _write(folder: Path, name: str, content: object) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(content, indent=1))  # JSON is YAML, and is written faster
    return path


def _run(*arguments: str) -> Outcome:
    program = str(programs.promtool(Console(stderr=True)))
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return Outcome(done.returncode == 0, done.stdout + done.stderr)
