"""What Google answers to the Secret Manager add-on of a node: who a pod is, and the secrets that it may read.

The program that plays Google's hosts (tools/registry/endpoints) runs this for each call: arguments are the checkout and
the ID of the GKE cluster. Standard input has the question, standard output the answer; both are JSON. `method` is

- `exchange`: the principal of the `token` of a pod, which the API server of the cluster checks;
- `impersonate`: the principal that a `principal` becomes with the token of a Google `account`;
- `access`: the value of the version `name` for a `principal`.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from atwork.access import principals
from atwork.access.model import ACT_AS
from atwork.errors import AccessError, UserError
from atwork.sandbox.cloud import Cloud
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.running import cluster_of
from atwork.sandbox.home import Home
from atwork.sandbox.secret_manager import READ, GoogleRefused, access, secret_of

Question = Mapping[str, str]
Answer = dict[str, str]

_ACCOUNT = re.compile("system:serviceaccount:(?P<namespace>[^:]+):(?P<name>[^:]+)")


@dataclass(frozen=True)
class NodeGoogle:
    """The answers for the pods of one cluster."""

    cloud: Cloud
    project: str
    review: Callable[[str, str], str]
    """The user of Kubernetes whose token for an audience this is; empty if it is not valid."""
    may: Callable[[str, str, str], bool]
    """Whether a principal has a permission on a resource."""

    def answer(self, question: Question) -> Answer:
        """The answer to a question, or what Google refuses."""
        methods: dict[str, Callable[[Question], Answer]] = {
            "exchange": self._exchange,
            "impersonate": self._impersonate,
            "access": self._access,
        }
        try:
            return methods[question["method"]](question)
        except GoogleRefused as refused:
            return {"refusal": refused.code, "message": str(refused)}

    def _exchange(self, question: Question) -> Answer:
        pool = f"{self.project}{principals.POOL_SUFFIX}"
        match = _ACCOUNT.fullmatch(self.review(question["token"], pool))
        if match is None:
            raise GoogleRefused("UNAUTHENTICATED", f"the token is not one of a pod for {pool}")
        return {"principal": principals.pod(pool, match["namespace"], match["name"])}

    def _impersonate(self, question: Question) -> Answer:
        email = question["account"]
        if not self.may(question["principal"], ACT_AS, f"projects/-/serviceAccounts/{email}"):
            raise GoogleRefused("PERMISSION_DENIED", f"Permission '{ACT_AS}' denied on resource (or it may not exist).")
        return {"principal": f"serviceAccount:{email}"}

    def _access(self, question: Question) -> Answer:
        name = question["name"]
        if not self.may(question["principal"], READ, secret_of(name)):
            why = f"Permission '{READ}' denied for resource '{name}' (or it may not exist)."
            raise GoogleRefused("PERMISSION_DENIED", why)
        full_name, value = access(self.cloud, name)
        return {"name": full_name, "data": base64.b64encode(value).decode()}


def _reviewer(home: Home, cluster: str) -> Callable[[str, str], str]:
    """What asks the API server of a cluster; `SandboxError` for one that is not there."""

    def review(token: str, audience: str) -> str:
        fleet, known = cluster_of(home, cluster)
        body = {"spec": {"token": token, "audiences": [audience]}}
        with closing(Api(fleet.kubeconfig(known))) as api:
            status = api.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body=body)["status"]
        return str(status["user"]["username"]) if status.get("authenticated") else ""

    return review


def _may(home: Home, principal: str, permission: str, resource: str) -> bool:
    """Whether the simulated cloud gives a permission; nothing is allowed on what does not exist."""
    from atwork.sandbox.access_model import SandboxAccess

    model = SandboxAccess(home.project).model()
    try:
        return bool(model.may(principal, permission, resource))
    except AccessError:
        return False


def main() -> None:
    """Answer one question."""
    home, cluster = Home(Path(sys.argv[1])), sys.argv[2]
    google = NodeGoogle(Cloud(home.cloud), cluster.split("/")[1], _reviewer(home, cluster), partial(_may, home))
    try:
        answer = google.answer(json.load(sys.stdin))
    except (UserError, ApiError) as error:
        sys.exit(str(error))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
