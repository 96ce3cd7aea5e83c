"""The tools of the platform's pods, as programs of this machine: their folder, their login, and a played gcloud."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atwork.containers.images import ImageStore
from atwork.sandbox.endpoints import Endpoints

TOOLS = ("jnlp", "buildkit", "helm", "crane", "gcloud")
"""Containers of pods that are played by programs of this machine."""


@dataclass(frozen=True)
class Toolbox:
    """Programs that play the tools of pods, the cache of builds, and the images of containers."""

    helm: Path
    buildkit: Path
    cache: Path
    images: ImageStore


def variables_of(folder: Path, endpoints: Endpoints) -> dict[str, str]:
    """The variables of all commands of a pod."""
    return {
        **endpoints.environment(),
        "PATH": f"{folder / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "DOCKER_CONFIG": str(folder / "login"),
        "WORKSPACE": str(folder / "workspace"),
        "LC_ALL": "C.UTF-8",
    }


def write_login(login: Path, registry: str, token: str) -> Path:
    """Write the folder that DOCKER_CONFIG names, with the login of a token; returns it."""
    login.mkdir(parents=True, exist_ok=True)
    (login / "config.json").touch(mode=0o600)
    credentials = {"username": "oauth2accesstoken", "password": token}
    (login / "config.json").write_text(json.dumps({"auths": {registry: credentials}}))
    return login


def write_tools(folder: Path, token: str, clusters: Mapping[str, str], toolbox: Toolbox) -> None:
    """Write the folder of programs; gcloud answers with this token and these endpoints, by PROJECT/LOCATION/NAME."""
    tools = folder / "bin"
    (tools / "helm").symlink_to(toolbox.helm)
    (tools / "crane").symlink_to(toolbox.images.crane)
    (tools / "buildctl").symlink_to(toolbox.buildkit / "buildctl")
    (tools / "buildctl-daemonless.sh").symlink_to(toolbox.buildkit / "buildctl")
    answers = folder / "gcloud.json"
    answers.touch(mode=0o600)
    answers.write_text(json.dumps({"token": token, "clusters": dict(clusters)}))
    (tools / "gcloud").write_text(f"#!{sys.executable} -IS\n{_GCLOUD.format(path=str(answers))}")
    (tools / "gcloud").chmod(0o755)


_GCLOUD = """\
import json, sys

with open({path!r}) as file:
    answers = json.load(file)
words = sys.argv[1:]
if words[:2] == ["auth", "print-access-token"]:
    print(answers["token"])
elif words[:3] == ["container", "clusters", "describe"]:
    options = dict(zip(words[4::2], words[5::2]))
    key = "/".join((options["--project"], options["--location"], words[3]))
    if key not in answers["clusters"]:
        sys.exit(f'ERROR: (gcloud.container.clusters.describe) Required "container.clusters.get" for "{{key}}".')
    print(answers["clusters"][key])
else:
    sys.exit(f"gcloud {{' '.join(words)}}: not played on this machine")
"""
