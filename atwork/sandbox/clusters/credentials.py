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

from atwork.files import replace_file

_OWNERS = 0o600
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
    folder.mkdir(parents=True, exist_ok=True)
    tokens = folder / "tokens.csv"
    if not tokens.exists():
        lines = [
            ",".join([secrets.token_urlsafe(32), user, user, *([f'"{group}"'] if group else [])])
            for user, group in _ACCOUNTS.items()
        ]
        replace_file(tokens, "\n".join(lines) + "\n", mode=_OWNERS)
    encryption = folder / "encryption.yaml"
    if not encryption.exists():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        provider = {"secretbox": {"keys": [{"name": "sandbox", "secret": key}]}}
        document = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": [provider, {"identity": {}}]}],
        }
        replace_file(encryption, yaml.safe_dump(document, sort_keys=False), mode=_OWNERS)


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
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "answers.json"
    replace_file(path, json.dumps({server: dict(status) for server, status in statuses.items()}), mode=_OWNERS)
    bin_folder.mkdir(parents=True, exist_ok=True)
    replace_file(bin_folder / PLUGIN, f"#!{sys.executable} -IS\n{_PLUGIN.format(path=str(path))}", mode=0o755)


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
