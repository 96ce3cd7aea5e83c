"""Images from Debian packages that stand in for Docker's official ones, where Docker Hub cannot be reached.

They have the programs, users, entry points and variables that pods and Dockerfiles of the platform rely on, in the
versions of Debian. They are made once into the shared cache.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock
from rich.console import Console

from atwork.containers.errors import ContainerError, check_machine
from atwork.containers.layout import write_layout
from atwork.containers.namespaces import namespaces
from atwork.files import cache_folder

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SETTINGS = (Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt"))
"""Files of this machine by which programs in its containers find package indexes and trust them."""


@dataclass(frozen=True)
class StandIn:
    """How to make an image: Debian packages, a script that runs in the root file system, and the image's settings.

    The folder `/run` is as the script leaves it.
    """

    packages: tuple[str, ...]
    script: str
    configuration: dict[str, Any] = field(default_factory=dict[str, Any])
    debian: str = "trixie"
    """The release of Debian that the packages come from."""
    programs: Mapping[str, Path] = field(default_factory=dict[str, Path])
    """Programs of this machine by their path in the image."""


STAND_INS = {
    # An own environment: Debian's Python refuses to install packages into the system.
    "python": StandIn(
        ("ca-certificates", "python3", "python3-venv"),
        "python3 -m venv /usr/local/python && mkdir -p /etc/ssl/certs",
        {"Env": [f"PATH=/usr/local/python/bin:{_PATH}"], "Cmd": ["python3"]},
    ),
    "postgres": StandIn(
        ("postgresql",),
        r"""
usermod --uid 70 postgres && groupmod --gid 70 postgres && rm -rf /var/lib/postgresql/*
ln -s /usr/lib/postgresql/*/bin /usr/local/postgres
cat > /usr/local/bin/docker-entrypoint.sh <<'END'
#!/bin/sh -e
[ "$1" = postgres ] || set -- postgres "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --username=postgres --auth="$POSTGRES_HOST_AUTH_METHOD" >/dev/null
  echo "host all all all $POSTGRES_HOST_AUTH_METHOD" >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
fi
exec "$@" -c unix_socket_directories=/tmp
END
""",
        {"Env": [f"PATH=/usr/local/postgres:{_PATH}"], "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["postgres"]},
        debian="forky",  # PostgreSQL 18, as in the platform's pods and in Cloud SQL
    ),
    "redis": StandIn(
        ("redis-server",),
        r"""
cat > /usr/local/bin/docker-entrypoint.sh <<'END'
#!/bin/sh -e
[ "$1" = redis-server ] || set -- redis-server "$@"
exec "$@"
END
""",
        {"Env": [f"PATH={_PATH}"], "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["redis-server"]},
    ),
}
"""By the name of the official image."""


def debian_mirror(sources: Path = Path("/etc/apt")) -> str:
    """The package mirror of this machine's own apt; `ContainerError` where it has none."""
    files = [*sorted(sources.glob("sources.list.d/*.sources")), sources / "sources.list"]
    pattern = re.compile(r"^(?:URIs:\s*|deb\s+(?:\[[^]]*\]\s+)?)(\S*/debian/?)(?:\s|$)", re.MULTILINE)
    for path in (path for path in files if path.exists()):
        if match := pattern.search(path.read_text()):
            return match[1]
    raise ContainerError(f"{sources}: names no mirror of Debian's packages; add one")


def stand_in(name: str, console: Console) -> Path:
    """The OCI layout of a stand-in, made first if it is not in the cache."""
    if name not in STAND_INS:
        raise ContainerError(
            f"{name}: cannot be made from Debian packages on this machine; {', '.join(STAND_INS)} can be. "
            f"`atwork sandbox images {name}:TAG` fetches it where Docker Hub or a mirror of it can be reached"
        )
    return make(name, STAND_INS[name], console)


def make(name: str, recipe: StandIn, console: Console) -> Path:
    """The OCI layout of an image of a recipe, made first if it is not in the cache."""
    settings = b"".join(path.read_bytes() for path in _SETTINGS if path.exists())
    content = {path: hashlib.sha256(program.read_bytes()).hexdigest() for path, program in recipe.programs.items()}
    described = repr(({**asdict(recipe), "programs": content}, debian_mirror()))
    key = hashlib.sha256(described.encode() + settings).hexdigest()[:16]
    folder = cache_folder() / "images" / f"{name}-{key}"
    if folder.exists():
        return folder
    check_machine()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{name}.lock"):
        if not folder.exists():
            for left in folder.parent.glob(f".{name}-*"):  # by a process that was killed
                shutil.rmtree(left)
            console.print(f"Making an image that stands in for {name} from Debian packages: once, about a minute.")
            with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder.parent) as scratch:
                tar, layout = Path(scratch, "root.tar"), Path(scratch, "layout")
                _bootstrap(recipe, tar)
                write_layout(tar, recipe.configuration, layout)
                layout.rename(folder)
    return folder


def _bootstrap(recipe: StandIn, tar: Path) -> None:
    script = tar.with_name("script")
    executable = "".join(f"chmod 755 {path}\n" for path in recipe.programs)
    script.write_text(f"set -e\n{executable}{recipe.script}\nchmod -f +x /usr/local/bin/docker-entrypoint.sh || true\n")
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("doc", "locale", "man")),
        "--dpkgopt=force-unsafe-io",
        # Lists of packages expire after days, and a mirror may be older. Their signature is verified.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        "--skip=cleanup/run",
        *(f"--customize-hook=upload {program} {path}" for path, program in recipe.programs.items()),
        f"--customize-hook=copy-in {script} /",
        '--customize-hook=chroot "$1" sh /script && rm "$1/script"',
        *(f'--customize-hook=mkdir -p "$1{path.parent}"; cp {path} "$1{path}"' for path in _SETTINGS if path.exists()),
        recipe.debian,
        str(tar),
        debian_mirror(),
    ]
    environment = {**os.environ, "TMPDIR": str(tar.parent)}
    with namespaces(own_network=False) as inside:
        done = subprocess.run(
            inside.command(command),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    if done.returncode:
        raise ContainerError(f"mmdebstrap failed, with {debian_mirror()}: {done.stderr.strip()[-400:]}")
