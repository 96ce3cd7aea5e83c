"""Volumes of Secret Manager on a node: the driver of GKE's add-on, which is a program of the node.

It is the Secrets Store CSI driver with Google's provider. It asks Google with the identity of the pod; on this machine,
the program that also plays Artifact Registry answers (tools/registry/endpoints).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from atwork.files import replace_file
from atwork.sandbox.clusters.api import Api
from components.cluster_settings import CSI_DRIVER, SECRET_ROTATION_SECONDS

USER = "system:secrets-store"
PROGRAM = "secrets-store"

_MANAGER = "sandbox"
_RBAC = "rbac.authorization.k8s.io"
_GROUP = "secrets-store.csi.x-k8s.io"


def write(folder: Path, home: Path, *, node: str, cluster: str, kubelet: Path) -> None:
    """Write the flags of the program; `home` is the folder as it sees it, `cluster` the ID of the GKE cluster.

    Its kubeconfig is written with those of the other programs (services.py).
    """
    flags = {
        "kubeconfig": home / f"{PROGRAM}.kubeconfig",
        "node": node,
        "cluster": cluster,
        "driver": CSI_DRIVER,
        "kubelet": kubelet,
        "rotation": f"{SECRET_ROTATION_SECONDS}s",
    }
    replace_file(folder / f"{PROGRAM}.flags", "\n".join(f"--{name}={value}" for name, value in flags.items()))


def remove_mount_points(kubelet: Path) -> None:
    """Remove the folders where a node that ended had mounted volumes, from the folder of its kubelet.

    The driver would take one for a volume that it has written, if the folder is younger than its interval of rotation.
    """
    for path in kubelet.glob("pods/*/volumes/kubernetes.io~csi/*/mount"):
        path.rmdir()


def install(api: Api, project: str) -> None:
    """Let the kubelet give the driver tokens of pods, and let the driver read what to mount."""
    for body in (_driver(project), *_rights()):
        api.apply(api.place(body["apiVersion"], body["kind"]), body, manager=_MANAGER, force=True)


def _driver(project: str) -> dict[str, Any]:
    """https://kubernetes-csi.github.io/docs/csi-driver-object.html, with the audience of the pods of a project."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": {"name": CSI_DRIVER},
        "spec": {
            "attachRequired": False,
            "podInfoOnMount": True,
            "requiresRepublish": True,
            "volumeLifecycleModes": ["Ephemeral"],
            "tokenRequests": [{"audience": f"{project}.svc.id.goog"}],
        },
    }


def _rights() -> list[dict[str, Any]]:
    rules = [
        {"apiGroups": [_GROUP], "resources": ["secretproviderclasses"], "verbs": ["get"]},
        {"apiGroups": [_GROUP], "resources": ["secretproviderclasspodstatuses"], "verbs": ["get", "create", "update"]},
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"]},
    ]
    kind: dict[str, Any] = {"apiVersion": f"{_RBAC}/v1", "metadata": {"name": USER}}
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": USER}
    subject = {"apiGroup": _RBAC, "kind": "User", "name": USER}
    return [
        {**kind, "kind": "ClusterRole", "rules": rules},
        {**kind, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
    ]
