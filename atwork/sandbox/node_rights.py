"""What the node of a cluster may do in repositories, by the IAM grants of the simulated cloud.

The registry of the nodes runs this program for each pull: arguments are the checkout and the ID of the GKE cluster.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from atwork.checkout import Checkout
from atwork.errors import SandboxError, UserError
from atwork.sandbox.access_model import SandboxAccess
from atwork.sandbox.cloud import Cloud, CloudObject
from atwork.sandbox.home import Home
from atwork.sandbox.provider.values import reveal
from components.type_tokens import NODE_POOL, REPOSITORY

_PERMISSIONS = [f"artifactregistry.repositories.{verb}Artifacts" for verb in ("download", "upload", "delete")]

May = Callable[[str, str, str], bool]
"""Whether a principal has a permission on a resource."""


def repositories(objects: list[CloudObject]) -> dict[str, CloudObject]:
    """The repositories of Artifact Registry, by PROJECT/REPOSITORY."""
    return {
        f"{item.id.split('/')[1]}/{item.id.rpartition('/')[2]}": item for item in objects if item.type == REPOSITORY
    }


def rights(principal: str, known: Mapping[str, CloudObject], may: May) -> dict[str, list[str]]:
    """The permissions of a principal, by PROJECT/REPOSITORY."""
    return {key: [each for each in _PERMISSIONS if may(principal, each, item.id)] for key, item in known.items()}


def account(objects: list[CloudObject], cluster: str) -> str:
    """The principal of the nodes of a cluster."""
    for item in objects:
        if item.type == NODE_POOL and item.id.startswith(f"{cluster}/"):
            return f"serviceAccount:{reveal(item.inputs)['nodeConfig']['serviceAccount']}"
    raise SandboxError(f"{cluster}: has no node pool, so that its nodes have no account")


def main() -> None:
    """Print the identity that the registry reads."""
    home, cluster = Home(Path(sys.argv[1])), sys.argv[2]
    try:
        objects = Cloud(home.cloud).objects()
        principal = account(objects, cluster)
        model = SandboxAccess(Checkout(home.checkout)).model()
        allowed = rights(principal, repositories(objects), lambda *question: bool(model.may(*question)))
    except UserError as error:
        sys.exit(str(error))
    print(json.dumps({"principal": principal, "registry": allowed}))


if __name__ == "__main__":
    main()
