"""Tokens for the API servers: one for each program of a control plane, and one for the user of the sandbox.

The program's kubeconfig gets credentials from `gke-gcloud-auth-plugin`. In the sandbox a script of that name is first
on PATH and returns the user's token, without a call to Google.
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

_OWNER_ONLY = 0o600
PLUGIN = "gke-gcloud-auth-plugin"
ENGINEER = "engineer@sandbox"
"""The user of every command of the sandbox: an administrator, as an owner of the project is in GKE."""

NODE = "real-0"
"""The node that runs pods; each cluster has one at most."""

_ACCOUNTS = {
    ENGINEER: "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "kwok": "system:masters",
    f"system:node:{NODE}": "system:nodes",
    "system:kube-proxy": "",
    "system:coredns": "",
    "system:network-policies": "",
    "system:secrets-store": "",
}


def write(folder: Path) -> None:
    """Create the tokens, and the key that encrypts Secrets in etcd, if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = folder / "tokens.csv"
    lines = tokens.read_text().splitlines() if tokens.exists() else []
    known = {line.split(",")[1] for line in lines}
    if new := {user: group for user, group in _ACCOUNTS.items() if user not in known}:
        lines += [
            ",".join([secrets.token_urlsafe(32), user, user, *([f'"{group}"'] if group else [])])
            for user, group in new.items()
        ]
        replace_file(tokens, "\n".join(lines) + "\n", mode=_OWNER_ONLY)
    encryption = folder / "encryption.yaml"
    if not encryption.exists():
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        provider = {"secretbox": {"keys": [{"name": "sandbox", "secret": key}]}}
        document = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": [provider, {"identity": {}}]}],
        }
        replace_file(encryption, yaml.safe_dump(document, sort_keys=False), mode=_OWNER_ONLY)


def token(folder: Path, user: str) -> str:
    """The token of a user."""
    for line in (folder / "tokens.csv").read_text().splitlines():
        value, name, *_ = line.split(",")
        if name == user:
            return value
    raise KeyError(user)


def kubeconfig(name: str, server: str, authority: bytes, secret: str) -> str:
    """A kubeconfig (JSON) with a CA and a token in it, for programs that start no plugin."""
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
    """What the plugin returns, by URL of the API server."""
    path = folder / "answers.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write_plugin(folder: Path, bin_folder: Path, statuses: Mapping[str, Mapping[str, str]]) -> None:
    """Write the script that replaces GKE's plugin: it returns the status for the requested API server."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "answers.json"
    replace_file(path, json.dumps({server: dict(status) for server, status in statuses.items()}), mode=_OWNER_ONLY)
    bin_folder.mkdir(parents=True, exist_ok=True)
    replace_file(bin_folder / PLUGIN, f"#!{sys.executable} -IS\n{_PLUGIN.format(path=str(path))}", mode=0o755)


_PLUGIN = """\
import json, os, sys

spec = json.loads(os.environ.get("KUBERNETES_EXEC_INFO", "{{}}")).get("spec", {{}})
server = spec.get("cluster", {{}}).get("server", "")
with open({path!r}) as file:
    answers = json.load(file)
if server not in answers:
    sys.exit(f"{{server or 'KUBERNETES_EXEC_INFO'}}: no cluster of the sandbox; `atwork sandbox status` lists them")
version = "client.authentication.k8s.io/v1beta1"
print(json.dumps({{"apiVersion": version, "kind": "ExecCredential", "status": answers[server]}}))
"""
