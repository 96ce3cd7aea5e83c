"""`atwork sandbox verify`: whether the pods of the environments that are up would start and work on GKE."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from atwork.errors import SandboxError, UsageError
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.home import Home, here
from atwork.sandbox.verify.checks import check_context, plan, verify
from atwork.sandbox.verify.model import PodFinding, VerifyReport
from atwork.toolchain import programs

_CHECKS = ("chart", "image", "mount", "identity", "placement", "admission", "network")


def run(stacks: Sequence[str], *, as_json: bool = False, strict: bool = False) -> int:
    """Verify environments that are up; 1 if there are findings. `strict` counts prerequisites as findings."""
    home, console = here(), Console()
    report = look(home, stacks)
    if as_json:
        print(json.dumps(report.plain(), indent=2))
    else:
        _show(report, console if console.is_terminal else Console(width=160))
    return 1 if report.errors() or (strict and report.prerequisites()) else 0


def look(home: Home, stacks: Sequence[str]) -> VerifyReport:
    """The report; `UsageError` for an environment without a stack file, `SandboxError` for one that is not up."""
    known = home.project.environment_names()
    missing = [stack for stack in stacks if stack not in known]
    if missing:
        raise UsageError(f"stacks/Pulumi.{missing[0]}.yaml: file not found; there are {', '.join(known)}")
    objects = Cloud(home.cloud).objects() if home.cloud.exists() else []
    helm = programs.helm_at_hand() or programs.helm(Console(stderr=True))
    report = verify(check_context(objects, plan(objects, home.checkout, helm)), stacks)
    down = [stack for stack in stacks if stack not in report.environments]
    if down or not report.environments:
        raise SandboxError(f"{down[0] if down else 'no environment'} is not up; run `atwork sandbox up` first")
    return report


def _show(report: VerifyReport, console: Console) -> None:
    console.print(_table(report))
    for source, how in report.sources.items():
        console.print(f"{source}: {how}", markup=False, highlight=False, soft_wrap=True)
    for title, color, findings in (
        ("finding", "red", report.errors()),
        ("prerequisite", "yellow", report.prerequisites()),
    ):
        for finding in findings:
            console.print(f"[{color}]{title}[/{color}] ", end="")
            console.print(_line(finding), markup=False, highlight=False, soft_wrap=True)


def _line(finding: PodFinding) -> str:
    what = f"{finding.environment}: {finding.pod}: {finding.what}"
    return (
        f"{what}: {finding.fix}"
        if finding.prerequisite
        else f"{what}. {finding.why[0].upper()}{finding.why[1:]}; {finding.fix}."
    )


def _table(report: VerifyReport) -> Table:
    table = Table("stack", box=None, pad_edge=False)
    for column in ("pods", *_CHECKS, "prerequisites"):
        table.add_column(column, justify="right")
    for name in report.environments:
        pods = sum(1 for pod in report.pods if pod.environment == name)
        counts = Counter(finding.check for finding in report.errors() if finding.environment == name)
        prerequisites = sum(1 for finding in report.prerequisites() if finding.environment == name)
        cells = [str(counts[check]) if counts[check] else "·" for check in _CHECKS]
        table.add_row(name, str(pods), *cells, str(prerequisites) if prerequisites else "·")
    return table
