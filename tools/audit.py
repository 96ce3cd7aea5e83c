"""`make audit`: the environments' resources as Terraform and Kubernetes files, checked by checkov.

Checkov does not read Pulumi. The golden inventories (tests/golden/STACK.yaml, compared with the program by a test) are
written as Terraform JSON with the provider's property names, and the objects in clusters as manifests. A failed check
must be in tools/audit-skips.yaml with its reason; an entry without a failed check must be removed.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import CONFIG_KEY
from infra.layout import STACKS_FOLDER, stack_files
from infra.promotion import Stage, in_order, stage_of_document

ROOT = Path(__file__).parent.parent
# Only modules without dependencies: this runs in an environment with only checkov and PyYAML.
STAGES = {
    name: stage_of_document(yaml.safe_load(path.read_text())["config"][CONFIG_KEY])
    for name, path in stack_files(ROOT / STACKS_FOLDER).items()
}
STACKS = tuple(in_order({name: stage for name, stage in STAGES.items() if stage is not Stage.EPHEMERAL}))
SKIPS = Path(__file__).with_name("audit-skips.yaml")

# Terraform's names of services that differ from Pulumi's module.
_SERVICES = {
    "artifactregistry": "artifact_registry",
    "binaryauthorization": "binary_authorization",
    "gkebackup": "gke_backup",
    "networkconnectivity": "network_connectivity",
    "organizations": "",
    "projects": "project",
    "secretmanager": "secret_manager",
    "serviceaccount": "service_account",
}
# Lists of blocks have plural names in Pulumi and singular ones in Terraform.
_PLURALS = {
    "allows": "allow",
    "audit_log_configs": "audit_log_config",
    "denies": "deny",
    "maintenance_exclusions": "maintenance_exclusion",
    "node_drain_configs": "node_drain_config",
    "secondary_ip_ranges": "secondary_ip_range",
    "taints": "taint",
}
_CHECKOV = (sys.executable, "-m", "checkov.main", "--output", "json", "--compact", "--skip-download", "--soft-fail")
_KEEP_KEYS = ("labels", "resource_labels", "user_labels", "metadata", "annotations")
_MOST_IN_PRODUCTION = 8


@dataclass(frozen=True)
class Finding:
    """A check that a resource fails."""

    stack: str
    check: str
    title: str
    resource: str


@dataclass(frozen=True)
class Skip:
    """A check that some resources need not pass, and why."""

    check: str
    stacks: tuple[str, ...]
    resources: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it is about that failure."""
        return (
            finding.check == self.check
            and finding.stack in self.stacks
            and fnmatch.fnmatchcase(finding.resource, self.resources)
        )


def snake(name: str) -> str:
    """Terraform's form of a name: `enableK8sTokensViaDns` is `enable_k8s_tokens_via_dns`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def terraform_type(token: str) -> str:
    """Terraform's type of a token: `gcp:projects/iAMMember:IAMMember` is `google_project_iam_member`."""
    _, module, kind = token.split(":")
    service = module.partition("/")[0]
    if (service, kind) == ("serviceaccount", "Account"):
        return "google_service_account"
    words = ["google", _SERVICES.get(service, service), snake(kind.replace("IAM", "Iam"))]
    return "_".join(word for word in words if word)


def terraform(value: Any, references: Mapping[str, str], key: str = "") -> Any:
    """Properties with Terraform's names; maps with free keys keep them, IDs become references."""
    if isinstance(value, Mapping):
        if key in _KEEP_KEYS:
            return dict(value)
        result: dict[str, Any] = {}
        for name, inner in value.items():
            short = snake(str(name))
            short = _PLURALS.get(short, short)
            result[short] = terraform(inner, references, short)
        return result
    if isinstance(value, list):
        return [terraform(item, references) for item in value]
    return references.get(value, value) if isinstance(value, str) else value


def inventory(stack: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Type, name and inputs of every resource of an environment."""
    resources: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "golden" / f"{stack}.yaml").read_text())
    for key, inputs in resources.items():
        token, _, name = key.partition(" ")
        yield token, name, dict(inputs)


def write(stack: str, folder: Path) -> None:
    """Write the environment as one Terraform JSON file and one file of manifests."""
    resources: dict[str, dict[str, Any]] = {}
    objects: list[dict[str, Any]] = []
    everything = list(inventory(stack))
    # In the inventories, the ID of a resource is its name and `-id`.
    references = {
        f"{name}-id": f"${{{terraform_type(token)}.{name}.id}}"
        for token, name, _ in everything
        if token.startswith("gcp:")
    }
    for token, name, inputs in everything:
        protect = inputs.pop("protect", False)
        if token.startswith("gcp:"):
            properties = terraform(inputs, references)
            if protect:
                properties["lifecycle"] = {"prevent_destroy": True}
            resources.setdefault(terraform_type(token), {})[name] = properties
        elif token.startswith("kubernetes:") and "apiVersion" in inputs:
            objects.append(inputs)
    (folder / f"{stack}.tf.json").write_text(json.dumps({"resource": resources}, indent=1))
    (folder / f"{stack}.yaml").write_text(yaml.safe_dump_all(objects))


def findings(stack: str, folder: Path) -> Iterator[Finding]:
    """Findings of checkov; `RuntimeError` if it does not run."""
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
                    yield Finding(stack, failure["check_id"], failure["check_name"], failure["resource"])


def skips(path: Path = SKIPS) -> list[Skip]:
    """The reviewed exceptions; `ValueError` for entry without a reason."""
    entries: list[Skip] = []
    for number, entry in enumerate(yaml.safe_load(path.read_text()) or [], start=1):
        if not str(entry.get("reason") or "").strip():
            raise ValueError(f"{path.name}: entry {number} ({entry.get('check')}) has no reason; write one")
        entries.append(
            Skip(entry["check"], tuple(entry.get("stacks", STACKS)), entry.get("resources", "*"), entry["reason"])
        )
    return entries


def judge(failures: list[Finding], accepted: list[Skip]) -> list[str]:
    """Problems: failures without an exception, unneeded exceptions, too many exceptions in production."""
    wrong = [
        f"{failure.stack}: {failure.check} {failure.resource}: {failure.title}"
        for failure in failures
        if not any(skip.covers(failure) for skip in accepted)
    ]
    wrong += [
        f"{SKIPS.name}: {skip.check} on {skip.resources} fails in none of {', '.join(skip.stacks)}; remove it"
        for skip in accepted
        if not any(skip.covers(failure) for failure in failures)
    ]
    for stack in (name for name, stage in STAGES.items() if stage is Stage.PRODUCTION):
        skipped = {skip.check for skip in accepted if stack in skip.stacks}
        if len(skipped) > _MOST_IN_PRODUCTION:
            wrong.append(f"{SKIPS.name}: {len(skipped)} checks are skipped in {stack}; {_MOST_IN_PRODUCTION} at most")
    return wrong


def main() -> int:
    """Write, check and compare; the exit code is 1 if there are problems."""
    with tempfile.TemporaryDirectory(prefix="atwork-audit-") as name:
        folder = Path(name)

        def audit(stack: str) -> list[Finding]:
            write(stack, folder)
            failures = list(findings(stack, folder))
            print(f"audit: {stack}: {len(failures)} failed checks", flush=True)
            return failures

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            failures = [failure for result in pool.map(audit, STACKS) for failure in result]
    accepted = skips()
    wrong = judge(failures, accepted)
    for line in wrong:
        print(line)
    print(f"{len(wrong)} problems; {len(failures)} failed checks are accepted by {len(accepted)} reviewed entries")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
