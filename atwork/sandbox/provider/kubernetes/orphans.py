"""What a killed run left in a real cluster: the note says what was asked for, the API server whether it is there."""

from __future__ import annotations

from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.fleet import Fleet
from atwork.sandbox.provider.kubernetes import RELEASE, objects, releases
from atwork.sandbox.provider.values import reveal
from atwork.toolchain import programs

_SECONDS = 120


def delete(fleet: Fleet, one: CloudObject) -> None:
    """Delete the object of a note from its cluster; a patch, and what is in no cluster of ours, is left alone."""
    cluster = fleet.at(one.scope)
    if cluster is None or one.type.endswith("Patch"):
        return
    kubeconfig = fleet.kubeconfig(cluster)
    if one.type == RELEASE:
        helm = programs.helm_at_hand()
        if helm is not None:
            releases.Release(reveal(one.inputs), kubeconfig, fleet.authority(cluster), helm).uninstall(_SECONDS)
        return
    body = objects.body(one.inputs)
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
