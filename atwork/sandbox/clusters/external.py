"""External clusters, which run without the sandbox (kind, minikube): address and credentials from a kubeconfig."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from atwork.errors import ConfigError, UsageError


def server(context: str) -> str:
    """URL of the API server of a context."""
    url = str(_parts(context)[0].get("server", ""))
    if not url.startswith("https://") or "/" in url.removeprefix("https://").rstrip("/"):
        raise UsageError(
            f"context {context}: server {url} is not https://HOST:PORT, the only format of a GKE endpoint; "
            "choose another context"
        )
    return url.rstrip("/")


def access(context: str) -> tuple[bytes, dict[str, str]]:
    """The CA of a context, and what `gke-gcloud-auth-plugin` returns for it: a token, or a certificate with its key."""
    cluster, user = _parts(context)
    authority = _content(cluster, "certificate-authority")
    if authority is None:
        raise UsageError(f"context {context}: it names no certificate-authority; add one to your kubeconfig")
    if "token" in user:
        return authority, {"token": str(user["token"])}
    certificate, key = _content(user, "client-certificate"), _content(user, "client-key")
    if certificate is None or key is None:
        raise UsageError(f"context {context}: its user has neither a token nor a client certificate; choose another")
    return authority, {"clientCertificateData": certificate.decode(), "clientKeyData": key.decode()}


def kubeconfig(context: str) -> str:
    """The user's kubeconfig with this context only."""
    cluster, user = _parts(context)
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": cluster}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "users": [{"name": context, "user": user}],
        }
    )


def _parts(context: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cluster and user of a context."""
    from kubernetes.config import kube_config

    try:
        merged: Any = kube_config.KubeConfigMerger(kube_config.KUBE_CONFIG_DEFAULT_LOCATION)
        contexts = {entry["name"]: entry["context"].value for entry in merged.config["contexts"].value}
        clusters = {entry["name"]: entry["cluster"].value for entry in merged.config["clusters"].value}
        users = {entry["name"]: entry["user"].value for entry in merged.config["users"].value}
    except (kube_config.ConfigException, TypeError, KeyError) as error:
        raise ConfigError(
            f"{kube_config.KUBE_CONFIG_DEFAULT_LOCATION}: cannot read a kubeconfig: {error}; set KUBECONFIG"
        ) from None
    if context not in contexts:
        raise UsageError(f"--context: your kubeconfig has no context {context}; it has {', '.join(contexts)}")
    chosen = contexts[context]
    return dict(clusters[chosen["cluster"]]), dict(users[chosen["user"]])


def _content(part: dict[str, Any], key: str) -> bytes | None:
    """The content of a key that holds data or names a file; None if neither is set."""
    if f"{key}-data" in part:
        return base64.b64decode(part[f"{key}-data"])
    return Path(part[key]).expanduser().read_bytes() if key in part else None
