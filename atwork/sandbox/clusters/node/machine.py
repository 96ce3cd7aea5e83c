"""Whether this machine can run nodes: root, programs, and what the kernel must permit."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from atwork.containers import network
from atwork.containers.errors import ContainerError
from atwork.containers.namespaces import Namespaces, namespaces
from atwork.errors import SandboxError
from atwork.sandbox.clusters.node import control_groups, files, services
from atwork.toolchain import machine

_RESTORE = "iptables-nft-restore"
_PROGRAMS = ("runc", "nft", _RESTORE, "unshare", "nsenter", "setpriv")
_INSTEAD = "or leave out `--nodes real`: kwok then plays all nodes"
_OVERLAY = """
set -e
mount -t tmpfs tmpfs /run
mkdir /run/low /run/up /run/work /run/all
mount -t overlay overlay -o lowerdir=/run/low,upperdir=/run/up,workdir=/run/work /run/all
"""


def check_node() -> None:
    """Raise `SandboxError` with everything that keeps this machine from running nodes, in one line."""
    if problems := obstacles():
        raise SandboxError(f"nodes cannot run on this machine: {'; '.join(problems)}; {_INSTEAD}")


def obstacles() -> list[str]:
    """Why this machine runs no nodes, each with its fix; empty if it does."""
    if sys.platform != "linux":
        return ["they need Linux: use a Linux machine"]
    root = [] if os.geteuid() == 0 else ["they need root: run the command with sudo"]
    return [*root, *machine.missing(_PROGRAMS)] or _refused_by_kernel()


def _refused_by_kernel() -> list[str]:
    """What the kernel, or the container that this command runs in, does not permit."""
    if problem := control_groups.problem():
        return [problem]
    try:
        with namespaces(own_network=True, control_groups=True) as inside:
            network.add_bridge(inside.pid, "probe", ipaddress.IPv4Interface("10.246.0.1/16"))
            return _refused_rules(inside) or _refused_queue(inside) or _refused_overlay(inside)
    except (ContainerError, OSError) as error:
        return [f"the kernel permits no namespaces with a bridge ({error}); use a machine of your own"]


def _refused_rules(inside: Namespaces) -> list[str]:
    nft = machine.PROGRAMS["nft"].path or "nft"
    rules = "add table ip probe; add chain ip probe nat { type nat hook prerouting priority dstnat; }"
    why = _failure(inside, [nft, rules])
    fix = "load the modules nf_tables and nft_nat"
    return [] if why is None else [f"the kernel takes no rules of nftables ({''.join(why[:1])}); {fix}"]


def _refused_queue(inside: Namespaces) -> list[str]:
    restore = machine.PROGRAMS[_RESTORE].path or _RESTORE
    why = _failure(inside, [restore], services.packet_rules(str(files.PODS)))
    fix = "load the modules nfnetlink_queue and xt_NFQUEUE"
    return [] if why is None else [f"the kernel has no queue for packets ({''.join(why[:1])}); {fix}"]


def _refused_overlay(inside: Namespaces) -> list[str]:
    why = _failure(inside, ["sh", "-c", _OVERLAY])
    fix = "load the module overlay"
    return [] if why is None else [f"the kernel mounts no overlay file system ({''.join(why[-1:])}); {fix}"]


def _failure(inside: Namespaces, words: Sequence[str], text: str = "") -> list[str] | None:
    """What a command that gets a text says when it fails, by line; None if it succeeds."""
    done = subprocess.run(inside.command(words), input=text, capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines() if done.returncode else None


def needs_root(folder: Path) -> str:
    """Why this process cannot stop the node of a folder that runs; empty if it can."""
    if os.geteuid() == 0 or not folder.exists():
        return ""
    return f"{folder}: a node runs there; run the command with sudo, as the one that started it"
