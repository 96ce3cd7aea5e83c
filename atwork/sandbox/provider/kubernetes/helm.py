"""Helm releases in real clusters: the program `helm` installs, reads and uninstalls them.

A chart is available if the release names a folder, or if JENKINS_CHART_DIR names a checkout of the official Jenkins
chart. Without a chart or without Helm on this machine, a release exists only in the simulation.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atwork.sandbox.provider.errors import Refused
from atwork.sandbox.provider.kubernetes.outputs import release_outputs
from atwork.sandbox.provider.values import Json, reveal

_TIMEOUT_SECONDS = 300
_NOT_FOUND = "release: not found"


@dataclass(frozen=True)
class Release:
    """A release: its inputs, and what Helm needs to reach its cluster."""

    inputs: Mapping[str, Json]
    """From the program, with revealed secrets."""
    kubeconfig: str
    authority: Path | None
    """Certificate authority of the API server; the program's kubeconfig has none."""
    helm: Path

    @property
    def name(self) -> str:
        """The name of the release in its namespace."""
        return str(self.inputs["name"])

    def install(self, chart: Path, seconds: float, *, wait: bool = True) -> None:
        """Install or upgrade the release and wait until all objects are ready; `Refused` with the error of Helm."""
        options = ["--install", f"--timeout={int(seconds or self.inputs.get('timeout') or _TIMEOUT_SECONDS)}s"]
        if wait:
            options.append("--wait")
        if self.inputs.get("atomic"):
            options.append("--atomic")
        if self.inputs.get("maxHistory") is not None:
            options.append(f"--history-max={int(self.inputs['maxHistory'])}")
        self._with_values(["upgrade", self.name, str(chart), *options])

    def dry_run(self, chart: Path) -> None:
        """Let the API server check all objects of the chart."""
        self._with_values(["upgrade", self.name, str(chart), "--install", "--dry-run=server"])

    def status(self) -> dict[str, Any] | None:
        """Revision, status and values of the release; None if it does not exist."""
        try:
            status = json.loads(self._run(["status", self.name, "--output=json"]))
            values = json.loads(self._run(["get", "values", self.name, "--output=json"])) or {}
        except Refused as error:
            if _NOT_FOUND in str(error):
                return None
            raise
        return {"revision": status["version"], "status": status["info"]["status"], "values": values}

    def uninstall(self, seconds: float) -> None:
        """Uninstall the release and wait until its objects are deleted."""
        timeout = f"--timeout={int(seconds or _TIMEOUT_SECONDS)}s"
        self._run(["uninstall", self.name, "--ignore-not-found", "--wait", "--cascade=foreground", timeout])

    def _with_values(self, command: list[str]) -> None:
        with tempfile.TemporaryDirectory(prefix="atwork-release-") as folder:
            values = Path(folder, "values.json")  # JSON is YAML
            values.touch(mode=0o600)
            values.write_text(json.dumps(self.inputs.get("values") or {}))
            self._run([*command, f"--values={values}"])

    def _run(self, command: list[str]) -> str:
        with tempfile.TemporaryDirectory(prefix="atwork-release-") as folder:
            kubeconfig = Path(folder, "kubeconfig")
            kubeconfig.touch(mode=0o600)
            kubeconfig.write_text(self.kubeconfig)
            environment = {
                **os.environ,
                "HELM_CACHE_HOME": folder,
                "HELM_CONFIG_HOME": folder,
                "HELM_DATA_HOME": folder,
                **({"SSL_CERT_FILE": str(self.authority)} if self.authority is not None else {}),
            }
            completed = subprocess.run(
                [str(self.helm), *command, f"--kubeconfig={kubeconfig}", f"--namespace={self.inputs['namespace']}"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        if completed.returncode:
            error = completed.stderr.strip().removeprefix("Error: ") or f"helm ended with code {completed.returncode}"
            raise Refused(f"Release {self.inputs['namespace']}/{self.name}: {error[-1500:]}")
        return completed.stdout


def chart_of(inputs: Mapping[str, Json], folder: Path | None = None) -> Path | None:
    """The folder of a release's chart; None if it is not available."""
    chart = str(reveal(inputs).get("chart", ""))
    if chart.startswith((".", "/")):
        path = (folder or Path.cwd()) / chart
        return path if path.is_dir() else None
    jenkins_chart = os.environ.get("JENKINS_CHART_DIR", "")
    if jenkins_chart and chart.rstrip("/").rpartition("/")[2] == "jenkins":
        path = Path(jenkins_chart)
        if not (path / "Chart.yaml").exists():
            raise Refused(f"JENKINS_CHART_DIR {jenkins_chart}: no Chart.yaml in it; name charts/jenkins of a checkout")
        return path
    return None


def outputs(inputs: Mapping[str, Json], status: Mapping[str, Any], identity: str) -> dict[str, Json]:
    """The outputs of a release that Helm installed."""
    return release_outputs(inputs, identity, revision=int(status["revision"]), status=status["status"])
