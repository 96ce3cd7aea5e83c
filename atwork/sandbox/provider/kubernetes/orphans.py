"""Objects that a killed update left in a real cluster: the record says what was requested."""

from __future__ import annotations

from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.provider.kubernetes import helm, objects
from atwork.sandbox.provider.values import reveal
from atwork.toolchain import programs
from components.type_tokens import RELEASE

_UNINSTALL_SECONDS = 120


def delete(fleet: Fleet, orphan: CloudObject) -> None:
    """Delete a recorded object from its cluster; patches and objects outside of the sandbox's clusters stay."""
    cluster = fleet.at(orphan.scope)
    if cluster is None or orphan.type.endswith("Patch"):
        return
    kubeconfig = fleet.kubeconfig(cluster)
    if orphan.type == RELEASE:
        program = programs.helm_at_hand()
        if program is not None:
            release = helm.Release(reveal(orphan.inputs), kubeconfig, fleet.authority(cluster), program)
            release.uninstall(_UNINSTALL_SECONDS)
        return
    body = objects.body(orphan.inputs)
    metadata = body["metadata"]
    api = Api(kubeconfig)
    try:
        place = api.place(str(body["apiVersion"]), str(body["kind"]))
        api.delete(place, str(metadata.get("namespace", "")), str(metadata["name"]), propagation="Foreground")
    except ApiError as error:
        if error.code != 404:
            raise
    finally:
        api.close()
