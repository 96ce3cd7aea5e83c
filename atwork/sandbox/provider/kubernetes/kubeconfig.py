"""The provider's kubeconfig and its options for unreachable clusters."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from atwork.sandbox.provider.errors import Refused
from atwork.sandbox.provider.values import Json, reveal


def server_of(config: Mapping[str, Json]) -> str:
    """URL of the API server in the provider's kubeconfig."""
    text = reveal(config.get("kubeconfig"))
    try:
        clusters = json.loads(text or "{}").get("clusters") or []
        return clusters[0]["cluster"]["server"]
    except (json.JSONDecodeError, LookupError, TypeError, AttributeError):
        raise Refused("the provider's kubeconfig names no cluster; give it the one of the cluster's stack") from None


def delete_unreachable() -> bool:
    """Whether the environment variable says that a refresh treats unreachable objects as deleted."""
    return os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE", "").lower() in ("true", "1")
