"""A client of a Kubernetes API for objects of any kind: read, server-side apply, delete."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_CALL_SECONDS = 60


class ApiError(Exception):
    """The API server refused a call: its message, status code and reason."""

    def __init__(self, code: int, reason: str, message: str, causes: tuple[Mapping[str, Any], ...] = ()) -> None:
        super().__init__(message)
        self.code, self.reason, self.causes = code, reason, causes


class Unreachable(ApiError):
    """No API server answers at the address, or there are no credentials for it."""


@dataclass(frozen=True)
class Place:
    """REST resource of a kind: path of its group and version, plural name, whether its objects are in namespaces."""

    group: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of an object, or of the list of objects."""
        parent = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.group}{parent}/{self.plural}" + (f"/{name}" if name else "")


class Api:
    """A client of one API server. The official client reads the kubeconfig and starts its credential plugin."""

    def __init__(self, kubeconfig: str, authority: Path | None = None, *, acting_as: str = "") -> None:
        from kubernetes import client
        from kubernetes.config import kube_config

        configuration: Any = client.Configuration()
        logging.getLogger("kubernetes").setLevel(logging.ERROR)
        try:
            kube_config.load_kube_config_from_dict(
                json.loads(kubeconfig), client_configuration=configuration, persist_config=False
            )
        except kube_config.ConfigException as error:
            raise Unreachable(0, "Unreachable", f"the kubeconfig is not valid: {error}") from None
        if authority is not None and not configuration.ssl_ca_cert:
            configuration.ssl_ca_cert = str(authority)
        configuration.connection_pool_maxsize = 20
        configuration.proxy = None
        if not (configuration.api_key or configuration.cert_file):
            raise Unreachable(
                0,
                "Unreachable",
                "gke-gcloud-auth-plugin returned no credential; put the sandbox's plugin first on PATH",
            )
        self.server: str = configuration.host
        self._client: Any = client.ApiClient(configuration)
        if acting_as:
            self._client.set_default_header("Impersonate-User", acting_as)
        self._error: type[Exception] = client.ApiException
        self._kinds: dict[str, dict[str, Place]] = {}
        self._learning = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._client.rest_client.pool_manager.clear()

    def place(self, api_version: str, kind: str) -> Place:
        """The REST resource of a kind; `ApiError` with code 404 if the server does not know it."""
        with self._learning:
            if kind not in self._kinds.get(api_version, {}):
                self._kinds[api_version] = self._discover(api_version)
            place = self._kinds[api_version].get(kind)
        if place is None:
            raise ApiError(404, "NoKind", f'no matches for kind "{kind}" in version "{api_version}"')
        return place

    def _discover(self, api_version: str) -> dict[str, Place]:
        group = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = self.call("GET", group)
        except ApiError as error:
            if error.code == 404:
                return {}
            raise
        return {
            resource["kind"]: Place(group, resource["name"], bool(resource["namespaced"]))
            for resource in listed["resources"]
            if "/" not in resource["name"]
        }

    def get(self, place: Place, namespace: str, name: str) -> dict[str, Any] | None:
        """An object, or None if it does not exist."""
        try:
            return self.call("GET", place.path(namespace, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def all(self, path: str, **query: str) -> list[dict[str, Any]]:
        """The objects of the list at a path."""
        return self.call("GET", path, query=query)["items"]

    def apply(
        self, place: Place, body: Mapping[str, Any], *, manager: str, dry_run: bool = False, force: bool = False
    ) -> dict[str, Any]:
        """Set the given fields with server-side apply; returns the resulting object."""
        metadata = body["metadata"]
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": str(force).lower()}
        if dry_run:
            query["dryRun"] = "All"
        path = place.path(metadata.get("namespace", ""), metadata["name"])
        return self.call("PATCH", path, query=query, body=body, content=_APPLY)

    def create(self, place: Place, body: Mapping[str, Any], *, manager: str, dry_run: bool = False) -> dict[str, Any]:
        """Create an object; `ApiError` with code 409 if it exists."""
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return self.call("POST", place.path(body["metadata"].get("namespace", "")), query=query, body=body)

    def merge(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change fields with a merge patch, whichever manager owns them, as controllers do."""
        return self.call("PATCH", path, body=body, content=_MERGE)

    def delete(self, place: Place, namespace: str, name: str, *, propagation: str) -> None:
        """Request the deletion of an object and its dependents; it need not exist."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            self.call("DELETE", place.path(namespace, name), body=options)
        except ApiError as error:
            if error.code != 404:
                raise

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        """Call the API; `ApiError` with the server's message if it refuses."""
        try:
            answer = self._client.call_api(
                path,
                method,
                query_params=list((query or {}).items()),
                header_params={"Accept": "application/json", "Content-Type": content},
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _request_timeout=_CALL_SECONDS,
            )
        except self._error as error:
            raise _api_error(error) from None
        except HTTPError as error:
            raise Unreachable(
                0, "Unreachable", f"configured Kubernetes cluster is unreachable: {_cause(error)}"
            ) from None
        try:
            return json.loads(answer.data)
        finally:
            answer.release_conn()


def _api_error(error: Any) -> ApiError:
    try:
        body = error.body.decode() if isinstance(error.body, bytes) else error.body
        status = json.loads(body)
        causes = tuple((status.get("details") or {}).get("causes") or ())
        return ApiError(int(error.status), str(status.get("reason", "")), str(status["message"]), causes)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiError(int(error.status or 0), str(error.reason), f"{error.status} {error.reason}: {error.body}")


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error)
