"""One object in a real cluster: created, applied, waited for, deleted."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from atwork.sandbox.clusters.api import Api, ApiError, Place
from atwork.sandbox.provider.errors import Refused
from atwork.sandbox.provider.kubernetes import objects, readiness
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.values import reveal

_POLL_SECONDS = 0.25
_READY_SECONDS = 300
_SKIP_AWAIT = "pulumi.com/skipAwait"
_TIMEOUT = "pulumi.com/timeoutSeconds"
_FIELD_MANAGER = "pulumi-kubernetes"
_KUBECTL = "kubectl"
ReportStatus = Callable[[str], None]
"""Shows a message in the engine's display."""


class NotReady(Exception):
    """The object does not become ready in time; `live` is the object as it is."""

    def __init__(self, message: str, live: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.live = live


@dataclass(frozen=True)
class LiveObject:
    """An object as the program describes it, and where it is in a cluster."""

    api: Api
    place: Place
    resource: ResourceRequest

    @property
    def namespace(self) -> str:
        """Its namespace; "" for an object without one."""
        return str(self._metadata().get("namespace", ""))

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return str(self._metadata()["name"])

    def get(self) -> dict[str, Any] | None:
        """The object in the cluster; None if it does not exist."""
        return self.api.get(self.place, self.namespace, self.name)

    def create(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Create it; `Refused` if it exists, unless the program describes a patch."""
        if not _is_patch(self.resource) and self.get() is not None:
            raise Refused(f'{self.place.plural} "{self.name}" already exists; import it, or choose another name')
        return self.apply(dry_run=dry_run)

    def apply(self, *, dry_run: bool = False, force: bool = False) -> dict[str, Any]:
        """Apply it on the server; with `force`, take over the fields that others own."""
        body = objects.body(self.resource.inputs)
        return self.api.apply(self.place, body, manager=_manager(self.resource), dry_run=dry_run, force=force)

    def apply_over_kubectl(self) -> dict[str, Any]:
        """Apply it; take over fields that kubectl set, and report those of controllers as a conflict."""
        try:
            return self.apply()
        except ApiError as error:
            messages = [str(cause.get("message", "")) for cause in error.causes]
            only_kubectl = all(
                message.startswith(f'conflict with "{_KUBECTL}') and "subresource" not in message
                for message in messages
            )
            if error.reason != "Conflict" or not messages or not only_kubectl:
                raise
            return self.apply(force=True)

    def delete(self, seconds: float, report: ReportStatus) -> None:
        """Delete it and wait until it is gone; a patch gives its fields back to their former owners."""
        if _is_patch(self.resource):
            self._release_fields()
            return
        self.api.delete(self.place, self.namespace, self.name, propagation="Foreground")
        end = time.monotonic() + seconds
        reported = ""
        while (live := self.get()) is not None:
            holders = _deletion_holders(live)
            if time.monotonic() > end:
                raise Refused(
                    f"{self.place.plural} {self.name} is still there after {seconds:.0f} s: {holders or 'no reason'}"
                )
            if holders and holders != reported:
                reported = holders
                report(f"waiting until it is gone: {holders}")
            time.sleep(_POLL_SECONDS)

    def wait_until_ready(self, live: Mapping[str, Any], timeout: float, report: ReportStatus) -> dict[str, Any]:
        """The object when it is ready; `NotReady` after the timeout of the call or of the object's annotation."""
        annotations = self._metadata().get("annotations") or {}
        seconds = float(timeout or annotations.get(_TIMEOUT) or _READY_SECONDS)
        end = time.monotonic() + seconds
        reported = ""
        current = dict(live)
        while str(annotations.get(_SKIP_AWAIT)).lower() != "true" and (reason := readiness.problem(current)):
            if time.monotonic() > end:
                raise NotReady(f"{self.place.plural} {self.name} is not ready after {seconds:.0f} s: {reason}", current)
            if reason != reported:
                reported = reason
                report(f"waiting until it is ready: {reason}")
            time.sleep(_POLL_SECONDS)
            current = self.get() or current
        return current

    def _release_fields(self) -> None:
        """Apply the object without any field."""
        live = self.get()
        if live is not None:
            metadata = {"name": self.name, **({"namespace": self.namespace} if self.namespace else {})}
            body = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}
            self.api.apply(self.place, body, manager=_manager(self.resource))

    def _metadata(self) -> Mapping[str, Any]:
        return reveal(self.resource.inputs).get("metadata") or {}


def message(resource: ResourceRequest, error: ApiError) -> str:
    """The error of an API server with the object that it is about."""
    inputs = reveal(resource.inputs)
    metadata = inputs.get("metadata") or {}
    name = "/".join(filter(None, (str(metadata.get("namespace", "")), str(metadata["name"]))))
    return f"{inputs.get('kind')} {name}: {error}"


@contextmanager
def refusing(resource: ResourceRequest) -> Generator[None]:
    """Turn errors of the API server into `Refused`."""
    try:
        yield
    except ApiError as error:
        raise Refused(message(resource, error)) from None


def immutable_fields(error: ApiError) -> set[str]:
    """First parts of the fields that the server refuses to change."""
    if error.reason != "Invalid":
        return set()
    return set(_immutable(error))


def _immutable(error: ApiError) -> Iterator[str]:
    for cause in error.causes:
        text = str(cause.get("message", ""))
        if "immutable" in text or "may not be changed" in text:
            yield str(cause.get("field", "")).partition(".")[0]


def _is_patch(resource: ResourceRequest) -> bool:
    return resource.token.endswith("Patch")


def _manager(resource: ResourceRequest) -> str:
    """The owner of the fields. A patch has an owner of its own, so that its deletion takes no field from another."""
    if _is_patch(resource):
        return f"{_FIELD_MANAGER}-{hashlib.sha256(resource.urn.encode()).hexdigest()[:8]}"
    return _FIELD_MANAGER


def _deletion_holders(live: Mapping[str, Any]) -> str:
    """The finalizers or conditions that an object being deleted waits for."""
    conditions = (live.get("status") or {}).get("conditions") or ()
    messages = [str(condition.get("message", "")) for condition in conditions if condition.get("status") == "True"]
    return ", ".join(live["metadata"].get("finalizers") or ()) or "; ".join(filter(None, messages))
