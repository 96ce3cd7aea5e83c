"""The program of a node: it creates the namespaces, starts the programs of a node in them, and ends with them.

Arguments: the folder of the node, with `node.json`. It connects ports of loopback in the node with the same ports of
the machine: those of the API server, and of the registry, which also answers for other hosts of Google. At one more
address, a program of the machine answers for databases. Nothing else leads out of the node. A proxy on a socket of the
machine leads in: the API server reaches the kubelet for logs and commands.
"""

from __future__ import annotations

import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

from atwork.containers import network
from atwork.containers.layout import write_layout
from atwork.containers.namespaces import Namespaces, namespaces
from atwork.errors import SandboxError
from atwork.files import replace_file
from atwork.sandbox.clusters.control_plane import SERVICES
from atwork.sandbox.clusters.node import files, secrets, services
from atwork.sandbox.clusters.node.on_demand import OnDemand

_READY_SECONDS = 60.0
_POLL_SECONDS = 0.1

# Mount points that exist on every machine. What the programs write to their usual folders ends with the node.
_MOUNTS = """
set -e
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir {home} {programs} {kubernetes}
mount --bind "$1" {home}
mount --bind "$2" {programs}
mount --bind "$3" {kubernetes}
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /var/log
"""


@dataclass(frozen=True)
class NodeSettings:
    """What the agent needs to know; `node.json`."""

    kubernetes: str
    """Folder of the kubelet and of what runs next to it."""
    programs: str
    """Folder of containerd."""
    api: int
    """Port of loopback that leads to the API server of the machine."""
    registry: int
    """Port of loopback that leads to the registry of the machine."""
    tunnel: str
    """Name of the abstract socket where the API server finds a proxy into the network of the node."""
    data_address: str = ""
    """Where `data_program` answers at `data_ports`; empty without such a program."""
    data_ports: Sequence[int] = ()
    data_program: Sequence[str] = ()

    def save(self, folder: Path) -> None:
        """Write the file."""
        replace_file(folder / "node.json", json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> NodeSettings:
        """Read the file."""
        document = json.loads((folder / "node.json").read_text())
        return cls(**document)


def run(folder: Path) -> None:
    """Run the node until one of its programs ends; `SandboxError` then says which."""
    settings = NodeSettings.read(folder)
    with (
        namespaces(own_network=True, control_groups=True) as inside,
        closing(network.Forwarder()) as forwarder,
        closing(_data(inside, folder, settings)) as data,
    ):
        replace_file(folder / "first.pid", str(inside.pid))
        _mount(inside, folder, settings)
        for name, address in files.INTERFACES.items():
            network.add_bridge(inside.pid, name, address)
        network.add_route(inside.pid, files.INTERFACE, ipaddress.IPv4Network(SERVICES))
        _call(
            inside, ["iptables-nft-restore", str(files.HOME / services.RULES)], "send packets to kube-network-policies"
        )
        for port in (settings.api, settings.registry):
            forwarder.forward(network.listen(inside.pid, "127.0.0.1", port), _machine(port))
        forwarder.proxy(_listen(settings.tunnel), _node(inside.pid))
        words = [str(files.PROGRAMS / "containerd"), f"--config={files.HOME / 'containerd.toml'}"]
        google = files.google_environment(settings.registry)
        containerd = _start(inside, folder, words, google)
        _import_pause(inside, folder, Path(settings.programs), containerd)
        children = {"containerd": containerd}
        for name in files.PARTS:
            flags = (folder / f"{name}.flags").read_text().splitlines()
            children[name] = _start(inside, folder, [str(files.KUBERNETES / name), *flags])
        flags = (folder / f"{secrets.PROGRAM}.flags").read_text().splitlines()
        children[secrets.PROGRAM] = _start(inside, folder, [str(files.PROGRAMS / secrets.PROGRAM), *flags], google)
        while all(child.poll() is None for child in children.values()):
            data.wait(_POLL_SECONDS)
        ended = [
            f"{name} ended with {child.returncode}" for name, child in children.items() if child.poll() is not None
        ]
        raise SandboxError("; ".join(ended))


def _data(inside: Namespaces, folder: Path, settings: NodeSettings) -> OnDemand:
    address, listeners = settings.data_address, dict[int, socket.socket]()
    if address:
        network.add_bridge(inside.pid, files.DATA_INTERFACE, ipaddress.IPv4Interface((address, 32)))
        listeners = {port: network.listen(inside.pid, address, port) for port in settings.data_ports}
    return OnDemand(settings.data_program, listeners, folder / "data.log")


def _machine(port: int) -> network.Dial:
    return lambda: socket.create_connection(("127.0.0.1", port))


def _listen(name: str) -> socket.socket:
    """An abstract socket: it ends with the process and has no path, which could be too long."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{name}")
    listener.listen()
    return listener


def _node(pid: int) -> Callable[[str, int], socket.socket]:
    """What connects to the kubelet and to pods, and to nothing else."""

    def connect(host: str, port: int) -> socket.socket:
        if ipaddress.ip_address(host) not in files.PODS:
            raise ConnectionRefusedError(f"kwok plays the node {host}, whose pods have no processes")
        return network.connect(pid, port, host)

    return connect


def _mount(inside: Namespaces, folder: Path, settings: NodeSettings) -> None:
    script = _MOUNTS.format(home=files.HOME, programs=files.PROGRAMS, kubernetes=files.KUBERNETES)
    script += "".join(
        f"mount --bind {files.HOME}/tunables/{path.replace('/', '.')} /proc/sys/{path}\n" for path in files.TUNABLES
    )
    _call(inside, ["sh", "-c", script, "sh", str(folder), settings.programs, settings.kubernetes], "prepare the mounts")


def _import_pause(inside: Namespaces, folder: Path, programs: Path, containerd: subprocess.Popen[bytes]) -> None:
    """Make the image of the first container of pods, and give it to containerd as soon as that answers."""
    ctr = [str(files.PROGRAMS / "ctr"), f"--address={files.SOCKET}"]
    with tempfile.TemporaryDirectory(dir=folder) as name:
        layout, root, image = Path(name, "layout"), Path(name, "root.tar"), Path(name, "image.tar")
        with tarfile.open(root, "w") as archive:
            archive.add(programs / "pause", "pause")
        write_layout(root, {"Entrypoint": ["/pause"]}, layout)
        with tarfile.open(image, "w") as archive:
            archive.add(layout, ".")
        end = time.monotonic() + _READY_SECONDS
        while subprocess.run(inside.command([*ctr, "version"]), capture_output=True, check=False).returncode:
            if containerd.poll() is not None or time.monotonic() > end:
                raise SandboxError(f"{folder / 'containerd.log'}: containerd does not answer")
            time.sleep(_POLL_SECONDS)
        path = files.HOME / image.relative_to(folder)
        words = ["--namespace=k8s.io", "images", "import", f"--index-name={files.PAUSE}", str(path)]
        _call(inside, [*ctr, *words], "import the image of pods")


def _start(
    inside: Namespaces, folder: Path, words: Sequence[str], variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    environment = {**_environment(), **(variables or {})}
    with (folder / f"{Path(words[0]).name}.log").open("ab") as output:
        return subprocess.Popen(
            inside.command(words), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )


def _call(inside: Namespaces, words: Sequence[str], doing: str) -> None:
    done = subprocess.run(inside.command(words), capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        raise SandboxError(f"could not {doing}: {done.stderr.strip()[-600:]}")


def _environment() -> Mapping[str, str]:
    """No login of this user, and none of its proxies."""
    path = f"{files.PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "HOME": "/run", "GOMAXPROCS": os.environ.get("GOMAXPROCS", "2")}


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit()


def main() -> None:
    """Run the node of a folder; SIGTERM ends it."""
    signal.signal(signal.SIGTERM, _end)
    folder = Path(sys.argv[1])
    try:
        run(folder)
    except (SandboxError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
