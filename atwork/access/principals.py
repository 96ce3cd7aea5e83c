"""IAM principals: their forms, which forms are the same identity, and which member of a binding covers whom.

https://cloud.google.com/iam/docs/principal-identifiers
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from atwork.errors import AccessError

POOL_SUFFIX = ".svc.id.goog"
_POOL = r"//iam\.googleapis\.com/projects/(?P<number>[^/]+)/locations/global/workloadIdentityPools/(?P<pool>[^/]+)/"
_SUBJECT = re.compile(rf"principal:{_POOL}subject/ns/(?P<namespace>[^/]+)/sa/(?P<account>[^/]+)")
_SET = re.compile(rf"principalSet:{_POOL}(?P<attribute>.+)")
_POD = re.compile(r"serviceAccount:(?P<pool>[^\[\]]+)\[(?P<namespace>[^/\]]+)/(?P<account>[^/\]]+)\]")
_FORMS = (
    _POD,
    re.compile(r"(serviceAccount|user|group):[^@\s\[\]]+@[^@\s\[\]]+"),
    re.compile(r"domain:[^@\s]+"),
    re.compile(rf"principal:{_POOL}subject/.+"),
    _SET,
)
_PUBLIC = ("allUsers", "allAuthenticatedUsers")


def check(principal: str) -> None:
    """Raise `AccessError` unless the text is an IAM principal."""
    if not any(form.fullmatch(principal) for form in _FORMS):
        raise AccessError(
            f"{principal}: not an IAM principal; use serviceAccount:EMAIL, user:EMAIL, group:EMAIL, "
            "serviceAccount:POOL[NAMESPACE/ACCOUNT], principal://… or principalSet://…"
        )


def canonical(principal: str, numbers: Mapping[str, str]) -> str:
    """One form for each identity: a pod is `serviceAccount:POOL[NAMESPACE/ACCOUNT]`.

    `numbers` are project numbers by project id. A `principal://` with the number of another project is not changed,
    because it is another identity to IAM.
    """
    match = _SUBJECT.fullmatch(principal)
    if match is None or not match["pool"].endswith(POOL_SUFFIX):
        return principal
    if numbers.get(match["pool"].removesuffix(POOL_SUFFIX)) != match["number"]:
        return principal
    return pod(match["pool"], match["namespace"], match["account"])


def pod(pool: str, namespace: str, account: str) -> str:
    """The identity of all pods that run as a Kubernetes service account without a Google account."""
    return f"serviceAccount:{pool}[{namespace}/{account}]"


def covers(member: str, principal: str, numbers: Mapping[str, str]) -> bool:
    """Whether a member of a binding includes a principal. Members of groups are unknown: a group covers only itself."""
    if member in _PUBLIC or canonical(member, numbers) == canonical(principal, numbers):
        return True
    group = _SET.fullmatch(member)
    pod_match = _POD.fullmatch(canonical(principal, numbers))
    if group is None or pod_match is None or group["pool"] != pod_match["pool"]:
        return False
    if numbers.get(group["pool"].removesuffix(POOL_SUFFIX)) != group["number"]:
        return False
    return group["attribute"] in ("*", f"namespace/{pod_match['namespace']}")
