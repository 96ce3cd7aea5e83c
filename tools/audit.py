"""`make audit`: checkov checks the resources of the long-lived environments and of the groups of services in them.

Checkov does not read Pulumi, so it reads the files of tools/audit_terraform.py. A failed check must be in
tools/audit-skips.yaml with its reason; an entry without a failed check must be removed.
"""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import CONFIG_KEY
from infra.layout import STACKS_FOLDER, group_files, stack_files
from infra.promotion import Stage, in_order, stage_of_document
from infra.stack_name import StackName
from tools.audit_terraform import write

ROOT = Path(__file__).parent.parent
# Only modules without dependencies: this runs in an environment with only checkov and PyYAML.
STAGES = {
    name: stage_of_document(yaml.safe_load(path.read_text())["config"][CONFIG_KEY])
    for name, path in stack_files(ROOT / STACKS_FOLDER).items()
}
ENVIRONMENTS = tuple(in_order({name: stage for name, stage in STAGES.items() if stage is not Stage.EPHEMERAL}))
SKIPS = Path(__file__).with_name("audit-skips.yaml")

_CHECKOV = (sys.executable, "-m", "checkov.main", "--output", "json", "--compact", "--skip-download", "--soft-fail")
_MOST_IN_PRODUCTION = 8


@dataclass(frozen=True)
class FailedCheck:
    """A check that a resource fails; `stack` is that of an environment or of a group of services in one."""

    stack: str
    check: str
    title: str
    resource: str


@dataclass(frozen=True)
class Skip:
    """A check that some resources need not pass, and why; `environments` include the groups of services in them."""

    check: str
    environments: tuple[str, ...]
    resources: str
    reason: str

    def covers(self, failure: FailedCheck) -> bool:
        """Whether it covers a failed check."""
        return (
            failure.check == self.check
            and StackName.parse(failure.stack).environment in self.environments
            and fnmatch.fnmatchcase(failure.resource, self.resources)
        )


def failed_checks(stack: str, folder: Path) -> Iterator[FailedCheck]:
    """The failed checks of a stack; `RuntimeError` if checkov does not run."""
    seen: set[tuple[str, str]] = set()
    for framework, file in (("terraform_json", f"{stack}.tf.json"), ("kubernetes", f"{stack}.yaml")):
        done = subprocess.run(
            [*_CHECKOV, "--file", str(folder / file), "--framework", framework],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        if done.returncode or not done.stdout.strip():
            raise RuntimeError(f"checkov failed on {file}: {(done.stderr or done.stdout).strip()[-1500:]}")
        reports: Any = json.loads(done.stdout)
        for report in reports if isinstance(reports, list) else [reports]:
            if "results" not in report:
                raise RuntimeError(f"checkov found nothing to check in {file}: {report}")
            if report["results"]["parsing_errors"]:
                raise RuntimeError(f"checkov cannot read {report['results']['parsing_errors']}")
            for failure in report["results"]["failed_checks"]:
                identity = (failure["check_id"], failure["resource"])
                if identity not in seen:  # checkov reports a resource once for each file
                    seen.add(identity)
                    yield FailedCheck(stack, failure["check_id"], failure["check_name"], failure["resource"])


def audited_stacks(stacks: Path) -> list[str]:
    """Each environment that lasts, followed by the groups of services with stacks of their own in it."""
    groups = list(group_files(stacks))
    return [
        str(stack)
        for environment in ENVIRONMENTS
        for stack in (environment, *(group for group in groups if group.environment == environment))
    ]


def skips(path: Path = SKIPS) -> list[Skip]:
    """The reviewed exceptions; `ValueError` for an entry without a reason."""
    entries: list[Skip] = []
    for number, entry in enumerate(yaml.safe_load(path.read_text()) or [], start=1):
        if not str(entry.get("reason") or "").strip():
            raise ValueError(f"{path.name}: entry {number} ({entry.get('check')}) has no reason; write one")
        entries.append(
            Skip(
                entry["check"],
                tuple(entry.get("environments", ENVIRONMENTS)),
                entry.get("resources", "*"),
                entry["reason"],
            )
        )
    return entries


def judge(failures: list[FailedCheck], accepted: list[Skip]) -> list[str]:
    """Problems: failures without an exception, unneeded exceptions, too many exceptions in production."""
    wrong = [
        f"{failure.stack}: {failure.check} {failure.resource}: {failure.title}"
        for failure in failures
        if not any(skip.covers(failure) for skip in accepted)
    ]
    wrong += [
        f"{SKIPS.name}: {skip.check} on {skip.resources} fails in none of {', '.join(skip.environments)}; remove it"
        for skip in accepted
        if not any(skip.covers(failure) for failure in failures)
    ]
    for environment in (name for name, stage in STAGES.items() if stage is Stage.PRODUCTION):
        skipped = {skip.check for skip in accepted if environment in skip.environments}
        if len(skipped) > _MOST_IN_PRODUCTION:
            wrong.append(
                f"{SKIPS.name}: {len(skipped)} checks are skipped in {environment}; {_MOST_IN_PRODUCTION} at most"
            )
    return wrong


def main() -> int:
    """Write, check and compare; the exit code is 1 if there are problems."""
    with tempfile.TemporaryDirectory(prefix="atwork-audit-") as name:
        folder = Path(name)

        def audit(stack: str) -> list[FailedCheck]:
            write(stack, folder)
            failures = list(failed_checks(stack, folder))
            print(f"audit: {stack}: {len(failures)} failed checks", flush=True)
            return failures

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            failures = [
                failure for result in pool.map(audit, audited_stacks(ROOT / STACKS_FOLDER)) for failure in result
            ]
    accepted = skips()
    wrong = judge(failures, accepted)
    for line in wrong:
        print(line)
    print(f"{len(wrong)} problems; {len(failures)} failed checks are accepted by {len(accepted)} reviewed entries")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
