"""Pods of a node that connect to Cloud SQL or Memorystore: who they are to Google, and whether they may."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from atwork.access import principals
from atwork.access.model import ACT_AS, AccessModel
from atwork.errors import AccessError
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.blocked import BLOCKED
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.secret_manager import GoogleRefused
from components.identity import ANNOTATION
from components.service import CONFIG_MAP

_SECONDS = 10.0
"""A container can start before the kubelet has reported the address of its pod."""
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Caller:
    """A pod that connects."""

    namespace: str
    pod: str
    facts: Mapping[str, str]
    """The ConfigMap `platform` of its namespace."""
    account: str
    """E-mail address of the Google account that it acts as; empty if there is none."""
    identity: str
    """The identity of the pod itself, with which it acts as the account."""
    blocked: str = ""
    """Why it was refused before."""

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"{self.namespace}/{self.pod}"

    @property
    def principal(self) -> str:
        """What Google's APIs see."""
        return f"serviceAccount:{self.account}" if self.account else self.identity


@dataclass(frozen=True)
class Callers:
    """The pods of the node of a cluster, in a project."""

    api: Api
    project: str
    access: Callable[[], AccessModel]
    """The grants of the simulated cloud."""

    def at(self, address: str) -> Caller:
        """The pod with an address; `GoogleRefused` if there is none."""
        pod = self._pod(address)
        metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
        namespace = metadata["namespace"]
        described = self.api.get(self.api.place("v1", "ServiceAccount"), namespace, account) or {"metadata": {}}
        email = str((described["metadata"].get("annotations") or {}).get(ANNOTATION, ""))
        identity = principals.pod(f"{self.project}{principals.POOL_SUFFIX}", namespace, account)
        facts = self.api.get(self.api.place("v1", "ConfigMap"), namespace, CONFIG_MAP) or {}
        blocked = str((metadata.get("annotations") or {}).get(BLOCKED, ""))
        return Caller(namespace, metadata["name"], facts.get("data") or {}, email, identity, blocked)

    @contextmanager
    def reported(self, caller: Caller, service: str) -> Generator[None]:
        """Let `atwork sandbox status` say why a pod is refused, until it is accepted."""
        try:
            yield
        except GoogleRefused as refused:
            self._annotate(caller, f"{service}: {refused}")
            raise
        if caller.blocked:
            self._annotate(caller, None)

    def _annotate(self, caller: Caller, why: str | None) -> None:
        path = f"/api/v1/namespaces/{caller.namespace}/pods/{caller.pod}"
        try:
            self.api.merge(path, {"metadata": {"annotations": {BLOCKED: why}}})
        except ApiError as error:
            if error.code != HTTPStatus.NOT_FOUND:  # deleted in the meantime
                raise

    def check(self, caller: Caller, permissions: Iterable[str], resource: str) -> None:
        """Raise `GoogleRefused` with the permission that a pod does not have on a resource."""
        try:
            model = self.access()
            if caller.account and not model.may_act_as(caller.identity, caller.account):
                why = f"Permission '{ACT_AS}' denied on {caller.account} ({caller.identity})"
                raise GoogleRefused("PERMISSION_DENIED", why)
            missing = [each for each in permissions if not model.may(caller.principal, each, resource)]
        except AccessError as error:  # the resource is not there
            raise GoogleRefused("NOT_FOUND", str(error)) from None
        if missing:
            why = f"Not authorized to access resource. Possibly missing permission {missing[0]} on resource {resource}"
            raise GoogleRefused("PERMISSION_DENIED", f"{why} ({caller.principal})")

    def _pod(self, address: str) -> Mapping[str, Any]:
        end = time.monotonic() + _SECONDS
        selector = f"status.podIP={address},spec.nodeName={NODE}"
        while True:
            pods = self.api.all("/api/v1/pods", fieldSelector=selector)
            running = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
            if running:
                return running[0]
            if time.monotonic() > end:
                raise GoogleRefused("UNAUTHENTICATED", f"no pod has the address {address}")
            time.sleep(_POLL_SECONDS)
