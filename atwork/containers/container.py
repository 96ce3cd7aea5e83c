"""A container in the namespaces of a pod, run by runc."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from atwork.containers.images import Unpacked
from atwork.containers.namespaces import Namespaces
from atwork.containers.runtime import runc

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CAPABILITIES = [
    f"CAP_{name}"
    for name in ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID")
]
"""Those of containerd's default that a container without security settings may need."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """What a pod says of a container, and where it runs."""

    name: str
    image: Unpacked
    inside: Namespaces
    folder: Path
    """The folder of its bundles; several commands in one container share its root file system."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    mounts: Mapping[Path, str] = field(default_factory=dict[Path, str])
    """Folders of this machine by their place in the container."""
    security: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`securityContext` of the container."""

    def start(
        self, words: Sequence[str], *, cwd: str = "", output: IO[Any] | int | None = None
    ) -> subprocess.Popen[str]:
        """Start a command in the container; it ends with the namespaces."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = sum(1 for _ in self.folder.iterdir())
        bundle = self.folder / str(number)
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(self._specification(words, cwd)))
        identity = f"{self.folder.parent.name}-{self.name}-{number}"
        command = [runc(), "--rootless=true", f"--root={self.folder.parent / 'runc'}", "run"]
        return subprocess.Popen(
            self.inside.command([*command, "--bundle", str(bundle), identity]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _specification(self, words: Sequence[str], cwd: str) -> dict[str, Any]:
        """https://github.com/opencontainers/runtime-spec/blob/main/config.md."""
        user, group = self._user()
        dropped = "ALL" in (self.security.get("capabilities") or {}).get("drop", ())
        held = [] if dropped or user else _CAPABILITIES
        variables = {"HOME": "/", "PATH": _PATH, **self.image.environment, **self.environment}
        binds = [
            {"destination": place, "source": str(source), "type": "bind", "options": ["rbind", "rw"]}
            for source, place in {Path("/etc/resolv.conf"): "/etc/resolv.conf", **self.mounts}.items()
        ]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": user, "gid": group},
                "args": list(words),
                "env": [f"{key}={value}" for key, value in variables.items()],
                "cwd": cwd or self.image.configuration.get("WorkingDir") or "/",
                "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), held),
                "noNewPrivileges": self.security.get("allowPrivilegeEscalation") is False,
            },
            "root": {
                "path": str(self.image.root),
                "readonly": bool(self.security.get("readOnlyRootFilesystem")),
            },
            "hostname": self.name,
            "mounts": [*_SYSTEM, *binds],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]},
        }

    def _user(self) -> tuple[int, int]:
        """The user of the pod, or else the image's, which is a number or root."""
        user, _, group = str(self.image.configuration.get("User") or "0").partition(":")
        numbers = [int(each) if each.isdigit() else 0 for each in (user, group or "0")]
        return int(self.security.get("runAsUser", numbers[0])), int(self.security.get("runAsGroup", numbers[1]))


_SYSTEM: list[dict[str, Any]] = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "nodev", "mode=1777"]},  # noqa: S108 (of the container)
]
