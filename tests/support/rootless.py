"""BuildKit without root: an image that stands in for BuildKit's own, and whether the kernel lets it run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from rich.console import Console

from atwork.containers.namespaces import namespaces
from atwork.containers.stand_ins import StandIn, make
from atwork.toolchain import programs
from atwork.toolchain.gobuild import provide, source

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Of BuildKit's Dockerfile, stage `rootless`. Alpine's newuidmap takes the user's rights and keeps one capability.
# Debian's does not, so that it would need CAP_SYS_ADMIN: https://github.com/shadow-maint/shadow/pull/132
_SCRIPT = """
for kind in uid gid; do
  chmod u-s /usr/bin/new${kind}map
  setcap cap_set${kind}+ep /usr/bin/new${kind}map
done
useradd --create-home --uid 1000 user
mkdir -p /run/user/1000 /home/user/.local/tmp /home/user/.local/share/buildkit
chown -R user /run/user/1000 /home/user
echo user:100000:65536 | tee /etc/subuid > /etc/subgid
"""

_CONFIGURATION = {
    "User": "1000:1000",
    "Env": [
        f"PATH={_PATH}",
        "HOME=/home/user",
        "USER=user",
        "XDG_RUNTIME_DIR=/run/user/1000",
        "TMPDIR=/home/user/.local/tmp",
        "BUILDKIT_HOST=unix:///run/user/1000/buildkit/buildkitd.sock",
    ],
    "Volumes": {"/home/user/.local/share/buildkit": {}},
    "Entrypoint": ["rootlesskit", "buildkitd"],
}

_PROBE = """
set -e
mount -t tmpfs tmpfs /tmp
mkdir /tmp/low /tmp/up /tmp/work /tmp/all
mount -t overlay overlay -o lowerdir=/tmp/low,upperdir=/tmp/up,workdir=/tmp/work /tmp/all
"""


def image(console: Console) -> Path:
    """The OCI layout of the image, made first if it is not in the cache."""
    built = provide(programs.BUILDKIT, console)
    files = {
        "buildctl": built / "buildctl",
        "buildkitd": built / "buildkitd",
        "rootlesskit": programs.rootlesskit(console),
        "buildctl-daemonless.sh": source(programs.BUILDKIT, console)
        / "examples"
        / "buildctl-daemonless"
        / "buildctl-daemonless.sh",
    }
    packages = ("ca-certificates", "libcap2-bin", "runc", "uidmap")
    recipe = StandIn(
        packages, _SCRIPT, _CONFIGURATION, programs={f"/usr/bin/{name}": path for name, path in files.items()}
    )
    return make("buildkit", recipe, console)


def obstacles() -> list[str]:
    """Why a user who is not root may not mount file systems in a user namespace; empty if that works.

    Settings of the kernel forbid it on some machines: user.max_user_namespaces, kernel.unprivileged_userns_clone,
    kernel.apparmor_restrict_unprivileged_userns.
    """
    if shutil.which("setpriv") is None:
        return ["setpriv is missing: install util-linux"]
    with namespaces(own_network=True) as inside:
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        own = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _PROBE]
        done = subprocess.run(inside.command([*user, *own]), capture_output=True, text=True, check=False, cwd="/")
    why = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return [f"the kernel lets no user mount in a user namespace: {why}"] if done.returncode else []
