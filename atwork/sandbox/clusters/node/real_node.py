"""A node that runs pods, as commands see it."""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from atwork.containers.runtime import runc
from atwork.errors import SandboxError
from atwork.sandbox.clusters import credentials
from atwork.sandbox.clusters.daemon import Daemon
from atwork.sandbox.clusters.node import control_groups, files, secrets
from atwork.sandbox.clusters.node.agent import NodeSettings
from atwork.sandbox.clusters.node.data_services import DataServices
from atwork.sandbox.clusters.node.files import ApiAccess
from atwork.sandbox.clusters.node.machine import check_node, needs_root
from atwork.sandbox.clusters.node.registry import RegistryAccess


@dataclass(frozen=True)
class RealNode:
    """The node of a cluster, with its files in a folder."""

    folder: Path

    @property
    def daemon(self) -> Daemon:
        """Its agent: what it started ends with it."""
        return Daemon("node", self.folder)

    @property
    def control_group(self) -> str:
        """Name of its control group, which no other node of this machine has."""
        return f"atwork-{hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]}"

    @property
    def pid(self) -> int:
        """The first process in its namespaces, as the machine numbers it."""
        return int((self.folder / "first.pid").read_text())

    @property
    def tunnel(self) -> str:
        """Name of the abstract socket of the proxy into its network."""
        return f"{self.control_group}-tunnel"

    def start(
        self,
        access: ApiAccess,
        registry: RegistryAccess,
        kubernetes: Path,
        programs: Path,
        data: DataServices | None = None,
    ) -> None:
        """Start it if it does not run; its pods begin again, as after a reboot.

        The folders are those of the kubelet and of containerd (atwork/toolchain/programs.py, `node`).
        """
        if self.daemon.alive():
            return
        check_node()
        self._clean()
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write(self.folder, access, registry, name=credentials.NODE, group=self.control_group, runc=runc())
        secrets.remove_mount_points(self.folder / "kubelet")
        api = int(access.server.rpartition(":")[2])
        settings = NodeSettings(str(kubernetes), str(programs), api, registry.port, self.tunnel)
        if data is not None:
            where = str(data.address)
            settings = replace(settings, data_address=where, data_ports=data.ports, data_program=data.command)
        settings.save(self.folder)
        control_groups.create(self.control_group)
        self.daemon.start([sys.executable, "-P", "-m", "atwork.sandbox.clusters.node.agent", str(self.folder)])

    def stop(self) -> None:
        """Stop it and keep its images, and the volumes of its pods."""
        if problem := needs_root(self.folder):
            raise SandboxError(problem)
        self.daemon.stop()
        self._clean()

    def _clean(self) -> None:
        """Remove what the agent cannot remove if it is killed."""
        control_groups.remove(self.control_group)

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
