"""Who may speak to the control planes: a token for each part of them, and one for the person at the keyboard.

`gke-gcloud-auth-plugin` is what the program's kubeconfig asks for credentials. In the sandbox a script of that name,
first on PATH, answers with the person's token instead of asking Google for one.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

PLUGIN = "gke-gcloud-auth-plugin"
PERSON = "engineer@sandbox"
"""The user that every command of the sandbox is: an administrator, as an owner of the project is in GKE."""

_ACCOUNTS = {
    PERSON: "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "kwok": "system:masters",
}


def write(folder: Path) -> None:
    """Make the tokens, and the key under which Secrets rest in etcd, where they are missing."""
    tokens = folder / "tokens.csv"
    if not tokens.exists():
        lines = [
            ",".join([secrets.token_urlsafe(32), user, user, *([f'"{group}"'] if group else [])])
            for user, group in _ACCOUNTS.items()
        ]
        _keep(tokens, "\n".join(lines) + "\n")
    encryption = folder / "encryption.yaml"
    if not encryption.exists():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        provider = {"secretbox": {"keys": [{"name": "sandbox", "secret": key}]}}
        document = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": [provider, {"identity": {}}]}],
        }
        _keep(encryption, yaml.safe_dump(document, sort_keys=False))


def token(folder: Path, user: str) -> str:
    """The token of a user."""
    for line in (folder / "tokens.csv").read_text().splitlines():
        value, name, *_ = line.split(",")
        if name == user:
            return value
    raise KeyError(user)


def kubeconfig(name: str, server: str, authority: bytes, secret: str) -> str:
    """A kubeconfig (JSON) with an authority and a token in it, for programs that start no plugin."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [{"name": name, "user": {"token": secret}}],
        }
    )


def answers(folder: Path) -> dict[str, dict[str, str]]:
    """What the plugin answers, by address of the API server."""
    path = folder / "answers.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write_plugin(folder: Path, bin_folder: Path, statuses: Mapping[str, Mapping[str, str]]) -> None:
    """The script that stands for GKE's plugin: it looks for whom it is asked, as the real one is told."""
    path = folder / "answers.json"
    _keep(path, json.dumps({server: dict(status) for server, status in statuses.items()}))
    bin_folder.mkdir(parents=True, exist_ok=True)
    script, unfinished = bin_folder / PLUGIN, bin_folder / f".{PLUGIN}.new"
    unfinished.write_text(f"#!{sys.executable} -IS\n{_PLUGIN.format(path=str(path))}")
    unfinished.chmod(0o755)
    unfinished.replace(script)


_PLUGIN = """\
import json, os, sys

asked = json.loads(os.environ.get("KUBERNETES_EXEC_INFO", "{{}}")).get("spec", {{}})
server = asked.get("cluster", {{}}).get("server", "")
with open({path!r}) as file:
    answers = json.load(file)
if server not in answers:
    sys.exit(f"{{server or 'no server was named'}}: no cluster of the sandbox; `atwork sandbox status` lists them")
version = "client.authentication.k8s.io/v1beta1"
print(json.dumps({{"apiVersion": version, "kind": "ExecCredential", "status": answers[server]}}))
"""


def _keep(path: Path, text: str) -> None:
    """Write a file whole, for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)
