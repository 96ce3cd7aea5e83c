"""What a pod of a cluster gives its containers: environment variables and files, as a kubelet reads them."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from atwork.containers.errors import ContainerError
from atwork.sandbox import secret_manager
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api
from atwork.sandbox.secret_manager import GoogleRefused
from components.cluster_settings import CSI_DRIVER

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class PodContent:
    """Reads what a pod refers to: objects of its namespace, and secrets of Secret Manager in the simulated cloud."""

    api: Api
    cloud: Cloud
    pod: Manifest
    address: str
    """Its IP address."""

    @property
    def _namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    def environment(self, container: Manifest) -> dict[str, str]:
        """The variables of a container; `ContainerError` if something required is missing."""
        variables: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if reference := source.get(key):
                    data = self._data(kind, reference["name"], optional=bool(reference.get("optional")))
                    variables |= {source.get("prefix", "") + name: value.decode() for name, value in data.items()}
        for variable in container.get("env") or ():
            value = self._value(variable)
            if value is not None:
                variables[variable["name"]] = value
        return variables

    def _value(self, variable: Manifest) -> str | None:
        source = variable.get("valueFrom")
        if source is None:
            return str(variable.get("value", ""))
        if field := source.get("fieldRef"):
            return self._field(field["fieldPath"])
        for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if reference := source.get(key):
                optional = bool(reference.get("optional"))
                data = self._data(kind, reference["name"], optional=optional)
                if reference["key"] in data:
                    return data[reference["key"]].decode()
                if optional:
                    return None
                raise ContainerError(f"{kind} {self._namespace}/{reference['name']} has no key {reference['key']}")
        raise ContainerError(f"variable {variable['name']}: {', '.join(source)} is not played on this machine")

    def _field(self, path: str) -> str:
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        known = {
            "metadata.name": metadata["name"],
            "metadata.namespace": metadata["namespace"],
            "metadata.uid": metadata["uid"],
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
            "status.podIP": self.address,
        }
        if path not in known:
            raise ContainerError(f"the field {path} of a pod is not played on this machine")
        return str(known[path])

    def _data(self, kind: str, name: str, *, optional: bool = False) -> dict[str, bytes]:
        manifest = self.api.get(self.api.place("v1", kind), self._namespace, name)
        if manifest is None:
            if optional:
                return {}
            raise ContainerError(f"{kind} {self._namespace}/{name} is missing")
        data = manifest.get("data") or {}
        if kind == "Secret":
            return {key: base64.b64decode(value) for key, value in data.items()}
        binary = {key: base64.b64decode(value) for key, value in (manifest.get("binaryData") or {}).items()}
        return {key: str(value).encode() for key, value in data.items()} | binary

    def volumes(self, folder: Path) -> dict[str, Path]:
        """Write the volumes of the pod, each to a folder; returns the folders by the name of the volume."""
        security = self.pod["spec"].get("securityContext") or {}
        owner, group = security.get("runAsUser", 0), security.get("fsGroup", security.get("runAsGroup", 0))
        written: dict[str, Path] = {}
        for volume in self.pod["spec"].get("volumes") or ():
            path = written[volume["name"]] = folder / volume["name"]
            path.mkdir(parents=True)
            os.chown(path, owner, group)
            for name, content in self._files(volume).items():
                file = path / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                os.chown(file, owner, group)
        return written

    def _files(self, volume: Manifest) -> dict[str, bytes]:
        if "emptyDir" in volume:
            return {}
        for key, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            if source := volume.get(key):
                data = self._data(kind, source[name], optional=bool(source.get("optional")))
                items = {item["key"]: item["path"] for item in source.get("items") or ()}
                return {items.get(file, file): content for file, content in data.items() if not items or file in items}
        if (volume.get("csi") or {}).get("driver") == CSI_DRIVER:
            return self._secrets(volume["csi"]["volumeAttributes"]["secretProviderClass"])
        kind = next(key for key in volume if key != "name")
        raise ContainerError(f"volume {volume['name']}: {kind} is not played on this machine")

    def _secrets(self, provider: str) -> dict[str, bytes]:
        place = self.api.place("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass")
        manifest = self.api.get(place, self._namespace, provider)
        if manifest is None:
            raise ContainerError(f"SecretProviderClass {self._namespace}/{provider} is missing")
        entries = yaml.safe_load(manifest["spec"]["parameters"]["secrets"]) or ()
        try:
            return {
                entry["path"]: secret_manager.access(self.cloud, str(entry["resourceName"]))[1] for entry in entries
            }
        except GoogleRefused as refused:
            raise ContainerError(str(refused)) from None
