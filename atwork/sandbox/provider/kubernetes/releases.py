"""Helm releases in real clusters, by Helm itself: installed and waited for, read back, taken away.

A chart is at hand where the release names a folder, or where JENKINS_CHART_DIR names a checkout of the official Jenkins
chart. Without a chart, or without Helm on this machine, a release is a record of the simulation alone.
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

from atwork.sandbox.provider.package import Refused
from atwork.sandbox.provider.values import Json, reveal

_ENOUGH_SECONDS = 300
_GONE = "release: not found"


@dataclass(frozen=True)
class Release:
    """One release by its inputs, and what Helm needs to reach its cluster."""

    inputs: Mapping[str, Json]
    """Of the program, secrets opened."""
    kubeconfig: str
    authority: Path | None
    """Signed the API server's certificate; the program's kubeconfig names none."""
    helm: Path

    @property
    def name(self) -> str:
        """Its name in the namespace."""
        return str(self.inputs["name"])

    def install(self, chart: Path, seconds: float, *, wait: bool = True) -> None:
        """Install or upgrade it, and wait until all of it is ready; `Refused` with Helm's own words."""
        options = ["--install", f"--timeout={int(seconds or self.inputs.get('timeout') or _ENOUGH_SECONDS)}s"]
        if wait:
            options.append("--wait")
        if self.inputs.get("atomic"):
            options.append("--atomic")
        if self.inputs.get("maxHistory") is not None:
            options.append(f"--history-max={int(self.inputs['maxHistory'])}")
        self._with_values(["upgrade", self.name, str(chart), *options])

    def rehearse(self, chart: Path) -> None:
        """Ask the API server what it would say to all objects of the chart."""
        self._with_values(["upgrade", self.name, str(chart), "--install", "--dry-run=server"])

    def status(self) -> dict[str, Any] | None:
        """Revision, state and the values that Helm keeps; None where there is no such release."""
        try:
            status = json.loads(self._run(["status", self.name, "--output=json"]))
            values = json.loads(self._run(["get", "values", self.name, "--output=json"])) or {}
        except Refused as error:
            if _GONE in str(error):
                return None
            raise
        return {"revision": status["version"], "status": status["info"]["status"], "values": values}

    def uninstall(self, seconds: float) -> None:
        """Take it away and wait until its objects are gone."""
        timeout = f"--timeout={int(seconds or _ENOUGH_SECONDS)}s"
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
            done = subprocess.run(
                [str(self.helm), *command, f"--kubeconfig={kubeconfig}", f"--namespace={self.inputs['namespace']}"],
                env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        if done.returncode:
            said = done.stderr.strip().removeprefix("Error: ") or f"helm ended with code {done.returncode}"
            raise Refused(f"Release {self.inputs['namespace']}/{self.name}: {said[-1500:]}")
        return done.stdout


def chart_of(inputs: Mapping[str, Json], folder: Path | None = None) -> Path | None:
    """The folder of a release's chart, where it is at hand."""
    chart = str(reveal(inputs).get("chart", ""))
    if chart.startswith((".", "/")):
        path = (folder or Path.cwd()) / chart
        return path if path.is_dir() else None
    named = os.environ.get("JENKINS_CHART_DIR", "")
    if named and chart.rstrip("/").rpartition("/")[2] == "jenkins":
        path = Path(named)
        if not (path / "Chart.yaml").exists():
            raise Refused(f"JENKINS_CHART_DIR {named}: no Chart.yaml in it; name charts/jenkins of a checkout")
        return path
    return None


def outputs(inputs: Mapping[str, Json], status: Mapping[str, Any], identity: str) -> dict[str, Json]:
    """What the engine keeps of a release that Helm installed."""
    plain = {key: value for key, value in inputs.items() if not key.startswith("__")}
    told = {
        "name": plain.get("name"),
        "namespace": plain.get("namespace"),
        "chart": str(reveal(plain).get("chart", "")).rpartition("/")[2],
        "version": plain.get("version", ""),
        "revision": int(status["revision"]),
        "status": status["status"],
    }
    return {**plain, "id": identity, "status": told, "resourceNames": {}}
