"""A Google of our own on loopback: stateful, for the REST APIs that bootstrap and doctor call.

It does what Google documents: long operations take a few polls, policies have etags, an account that was just made is
not known at once, what may not be seen is Forbidden, ids are never free again. It answers what it does not know with 501,
so that a call nobody thought of fails the test.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]
READS = (":getIamPolicy",)
"""What is read by POST."""

_SUBNET = r"projects/[^/]+/regions/[^/]+/subnetworks/[^/]+"


def error(status: int, message: str, *, reason: str = "", **metadata: str) -> Answer:
    names = {
        400: "INVALID_ARGUMENT",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        409: "ALREADY_EXISTS",
        429: "RESOURCE_EXHAUSTED",
    }
    details = []
    if reason:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        details.append({**info, "metadata": metadata})
    return status, {"error": {"code": status, "message": message, "status": names.get(status, ""), "details": details}}


def _flags() -> dict[str, dict[str, Any]]:
    """What Cloud SQL answers for the flags that every instance has, as far as is looked at."""
    numbers = ("log_min_duration_statement", "log_temp_files")
    words = {
        "log_min_error_statement": ["error", "log"],
        "log_min_messages": ["warning", "error"],
        "log_statement": ["none", "ddl", "mod", "all"],
    }
    switches = (
        "cloudsql.enable_pgaudit",
        "cloudsql.iam_authentication",
        "log_checkpoints",
        "log_connections",
        "log_disconnections",
        "log_lock_waits",
    )
    return {
        **{name: {"name": name, "type": "INTEGER"} for name in numbers},
        **{name: {"name": name, "type": "STRING", "allowedStringValues": allowed} for name, allowed in words.items()},
        **{name: {"name": name, "type": "BOOLEAN"} for name in switches},
    }


@dataclass
class State:
    """All objects as plain data, so that two runs can be compared."""

    projects: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    billing: dict[str, str] = field(default_factory=dict[str, str])
    accounts: dict[str, bool] = field(default_factory=dict[str, bool])
    services: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    objects: dict[str, str] = field(default_factory=dict[str, str])
    rings: set[str] = field(default_factory=set[str])
    keys: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    identities: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    pools: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Secrets by resource name: `replication`, and `versions` with `state` and `data`, oldest first."""
    roles: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    regions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    quotas: dict[str, tuple[int, int]] = field(default_factory=lambda: {"NETWORKS": (5, 0), "FIREWALLS": (100, 4)})
    """Limit and usage of each quota of a project."""
    machines: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """Machine types with their vCPUs, by zone."""
    constraints: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    """Rules that hold everywhere, by constraint."""
    groups: set[str] = field(
        default_factory=lambda: {
            f"{group}@example.com" for group in ("engineers", "gke-security-groups", "team-orders", "dba")
        }
    )
    hidden_groups: set[str] = field(default_factory=set[str])
    """Those that the caller may not see."""
    networks: dict[str, Any] = field(default_factory=dict[str, Any])
    """What is read of networks of others, by path: subnets, routers, DNS zones, service connection policies."""
    flags: dict[str, dict[str, Any]] = field(default_factory=_flags)
    """Database flags that Cloud SQL offers, by name."""


class FakeGoogle:
    """The server's side; `state` is free to be looked at and changed."""

    def __init__(self) -> None:
        self.state = State()
        self.taken: set[str] = set()
        """Project ids that are somebody else's, or were."""
        self.requests: list[tuple[str, str]] = []
        self.faults: list[tuple[str, str, Answer, int]] = []
        """Method, pattern of the path, answer, and how often."""
        self.polls = 2
        """How many looks a long operation takes."""
        self._operations: dict[str, tuple[int, Callable[[], Any]]] = {}
        self._etags: dict[str, int] = {}
        self._unknown: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The requests that were to change something."""
        return [(m, p) for m, p in self.requests if m != "GET" and not p.split("?")[0].endswith(READS)]

    def fail(self, method: str, pattern: str, answer: Answer, times: int = 1000) -> None:
        """Answer matching requests so, a number of times."""
        self.faults.append((method, pattern, answer, times))

    def handle(self, method: str, target: str, body: Any) -> Answer:
        """One request."""
        with self._lock:
            self.requests.append((method, target))
            path, _, query = target.partition("?")
            for at, (wanted, pattern, answer, times) in enumerate(self.faults):
                if wanted == method and re.search(pattern, path) and times:
                    self.faults[at] = (wanted, pattern, answer, times - 1)
                    return answer
            params = dict(urllib.parse.parse_qsl(query))
            names = urllib.parse.parse_qs(query).get("names", [])
            for verb, pattern, act in self._routes():
                match = re.fullmatch(pattern, urllib.parse.unquote(path))
                if verb == method and match:
                    return act(*match.groups(), body=body, params=params, names=names)
            return error(501, f"{method} {target} is not known here")

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        project, pools = (
            r"/v1/projects/([^/:]+)",
            r"/v1/(projects/[^/]+/locations/global/workloadIdentityPools(?:/[^/]+/providers)?)",
        )
        return [
            ("GET", r"/v3/projects/([^/:]+)", self._project),
            ("POST", r"/v3/projects", self._create_project),
            ("GET", r"/(?:v1|v3)/((?:operations/|projects/.*/operations/).+)", self._poll),
            ("GET", rf"{project}/billingInfo", self._billing),
            ("PUT", rf"{project}/billingInfo", self._link),
            ("GET", r"/v1/billingAccounts/([^/:]+)", self._account),
            ("GET", rf"{project}/services:batchGet", self._services),
            ("POST", rf"{project}/services:batchEnable", self._enable),
            ("POST", r"/storage/v1/b", self._create_bucket),
            ("GET", r"/storage/v1/b/([^/]+)", self._bucket),
            ("PATCH", r"/storage/v1/b/([^/]+)", self._patch_bucket),
            ("GET", r"/storage/v1/(b/[^/]+)/iam", self._policy),
            ("PUT", r"/storage/v1/(b/[^/]+)/iam", self._put_policy),
            ("GET", r"/storage/v1/b/([^/]+/o/.+)", self._object),
            ("GET", r"/download/storage/v1/b/([^/]+/o/.+)", self._download),
            ("GET", r"/v1/(projects/[^/]+/locations/[^/]+/keyRings/[^/]+)", self._ring),
            ("POST", r"/v1/(projects/[^/]+/locations/[^/]+/keyRings)", self._create_ring),
            ("GET", r"/v1/(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/:]+)", self._key),
            ("POST", r"/v1/(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys)", self._create_key),
            ("PATCH", r"/v1/(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+)", self._patch_key),
            ("POST", r"/v1/projects/([^/]+)/secrets", self._create_secret),
            ("GET", r"/v1/(projects/[^/]+/secrets/[^/:]+)", self._secret),
            ("GET", r"/v1/(projects/[^/]+/secrets/[^/:]+)/versions/latest", self._latest_version),
            ("POST", r"/v1/(projects/[^/]+/secrets/[^/:]+):addVersion", self._add_version),
            ("GET", r"/v1/projects/[^/]+/serviceAccounts/([^/:]+)", self._identity),
            ("POST", r"/v1/projects/([^/]+)/serviceAccounts", self._create_identity),
            ("GET", r"/v1/(projects/[^/]+/roles/[^/:]+)", self._role),
            ("POST", r"/v1/(projects/[^/]+)/roles", self._create_role),
            ("PATCH", r"/v1/(projects/[^/]+/roles/[^/:]+)", self._patch_role),
            ("POST", r"/v1/(projects/[^/]+/roles/[^/:]+):undelete", self._undelete_role),
            ("GET", rf"{pools}/([^/:]+)", self._pool),
            ("POST", pools, self._create_pool),
            ("PATCH", rf"{pools}/([^/:]+)", self._patch_pool),
            ("POST", rf"{pools}/([^/:]+):undelete", self._undelete_pool),
            ("GET", r"/v[13]/(.+):getIamPolicy", self._policy),
            ("POST", r"/v[13]/(.+):getIamPolicy", self._policy),
            ("POST", r"/v[13]/(.+):setIamPolicy", self._set_policy),
            ("GET", rf"/compute/v1/({_SUBNET})/getIamPolicy", self._policy),
            ("POST", rf"/compute/v1/({_SUBNET})/setIamPolicy", self._set_policy),
            ("GET", rf"(/compute/v1/{_SUBNET})", self._network),
            (
                "GET",
                r"(/compute/v1/projects/[^/]+/(?:getXpnHost|regions/[^/]+/(?:routers|subnetworks)))",
                self._network,
            ),
            ("GET", r"(/dns/v1/projects/[^/]+/managedZones)", self._network),
            ("GET", r"(/v1/projects/[^/]+/locations/[^/]+/serviceConnectionPolicies)", self._network),
            ("PUT", r"/engine/([^/]+/o/.+)", self._put_object),
            ("GET", r"/compute/v1/projects/([^/]+)", self._compute_project),
            ("GET", r"/compute/v1/projects/[^/]+/regions/([^/]+)", self._region),
            ("GET", r"/v1/projects/([^/]+)/serviceAccounts", self._identities),
            ("GET", r"/v2/(?:projects|folders)/[^/]+/policies/([^/:]+):getEffectivePolicy", self._constraint),
            ("GET", r"/v1/groups:lookup", self._group),
            ("GET", r"/v1/flags", self._offered_flags),
            ("GET", r"/compute/v1/projects/[^/]+/zones/([^/]+)/machineTypes/([^/]+)", self._machine),
        ]

    # Long operations.

    def _later(self, prefix: str, act: Callable[[], Any]) -> Answer:
        name = f"{prefix}operations/op.{len(self._operations) + 1}"
        self._operations[name] = (self.polls, act)
        return 200, {"name": name, "done": False}

    def _poll(self, name: str, **_: Any) -> Answer:
        left, act = self._operations[name]
        self._operations[name] = (left - 1, act)
        if left > 1:
            return 200, {"name": name, "done": False}
        if left == 1:
            result = act()
            self._operations[name] = (0, lambda: result)
        return 200, {"name": name, "done": True, "response": self._operations[name][1]()}

    def settle(self) -> None:
        """Time passes: all that was begun is done."""
        with self._lock:
            for name, (left, act) in self._operations.items():
                if left > 0:
                    act()
                    self._operations[name] = (0, dict)

    # Projects.

    def _project(self, name: str, **_: Any) -> Answer:
        if name not in self.state.projects:
            return error(403, "The caller does not have permission")
        return 200, self.state.projects[name]

    def _create_project(self, *, body: Any, **_: Any) -> Answer:
        name = body["projectId"]
        if name in self.state.projects or name in self.taken:
            return error(409, "Requested entity already exists")
        self.taken.add(name)

        def done() -> Any:
            number = str(100000000000 + len(self.state.projects))
            created = {**body, "name": f"projects/{number}", "state": "ACTIVE"}
            self.state.projects[name] = created
            return {"@type": "type.googleapis.com/google.cloud.resourcemanager.v3.Project", **created}

        return self._later("", done)

    def _billing(self, name: str, **_: Any) -> Answer:
        account = self.state.billing.get(name, "")
        return 200, {
            "name": f"projects/{name}/billingInfo",
            "projectId": name,
            "billingAccountName": account,
            "billingEnabled": bool(account),
        }

    def _link(self, name: str, *, body: Any, **_: Any) -> Answer:
        self.state.billing[name] = body["billingAccountName"]
        return self._billing(name)

    def _account(self, name: str, **_: Any) -> Answer:
        if name not in self.state.accounts:
            return error(403, "The caller does not have permission")
        return 200, {"name": f"billingAccounts/{name}", "open": self.state.accounts[name]}

    def _services(self, name: str, *, names: list[str], **_: Any) -> Answer:
        on = self.state.services.get(name, set())
        states = [
            {"name": service, "state": "ENABLED" if service.rpartition("/")[2] in on else "DISABLED"}
            for service in names
        ]
        return 200, {"services": states}

    def _enable(self, name: str, *, body: Any, **_: Any) -> Answer:
        def done() -> Any:
            self.state.services.setdefault(name, set()).update(body["serviceIds"])
            return {"@type": "type.googleapis.com/google.api.serviceusage.v1.BatchEnableServicesResponse"}

        return self._later("", done)

    # What preflight reads.

    def _identities(self, project: str, *, params: dict[str, str], **_: Any) -> Answer:
        """Two on a page, so that a reader of only the first page fails."""
        emails = sorted(
            email for email in self.state.identities if email.endswith(f"@{project}.iam.gserviceaccount.com")
        )
        start = int(params.get("pageToken", "0"))
        page = [{"email": email} for email in emails[start : start + 2]]
        more = {"nextPageToken": str(start + 2)} if start + 2 < len(emails) else {}
        return 200, {"accounts": page, **more}

    def _constraint(self, name: str, **_: Any) -> Answer:
        return 200, {"name": f"projects/1/policies/{name}", "spec": {"rules": self.state.constraints.get(name, [])}}

    def _group(self, *, params: dict[str, str], **_: Any) -> Answer:
        email = params["groupKey.id"]
        if email in self.state.hidden_groups:
            return error(403, "Error(2028): Permission denied for resource groups/ (or it may not exist).")
        return (200, {"name": "groups/1"}) if email in self.state.groups else error(404, "Requested entity not found")

    def _offered_flags(self, *, params: dict[str, str], **_: Any) -> Answer:
        assert params["databaseVersion"].startswith("POSTGRES_")
        return 200, {"items": list(self.state.flags.values())}

    def _network(self, path: str, **_: Any) -> Answer:
        if path not in self.state.networks:
            return error(404, f"The resource '{path}' was not found")
        return 200, self.state.networks[path]

    def _unpaid(self, project: str) -> Answer | None:
        if not self.state.billing.get(project):
            return error(
                403, f"This API method requires billing to be enabled on project {project}", reason="BILLING_DISABLED"
            )
        return None

    # Buckets.

    def _create_bucket(self, *, body: Any, params: dict[str, str], **_: Any) -> Answer:
        project = params["project"]
        if self._unpaid(project):
            return self._unpaid(project) or (500, {})
        if body["name"] in self.state.buckets or body["name"] in self.taken:
            return error(409, "The requested bucket name is not available")
        created = {
            **body,
            "location": body["location"].upper(),
            "projectNumber": self.state.projects[project]["name"].removeprefix("projects/"),
        }
        self.state.buckets[body["name"]] = created
        return 200, created

    def _bucket(self, name: str, **_: Any) -> Answer:
        if name not in self.state.buckets:
            return error(404, "The specified bucket does not exist.")
        return 200, self.state.buckets[name]

    def _patch_bucket(self, name: str, *, body: Any, **_: Any) -> Answer:
        for key, value in body.items():
            old = self.state.buckets[name].get(key)
            self.state.buckets[name][key] = (
                {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
            )
        return 200, self.state.buckets[name]

    def _put_object(self, name: str, *, body: Any, **_: Any) -> Answer:
        self.state.objects[name] = json.dumps(body)
        return 200, {}

    def _object(self, name: str, **_: Any) -> Answer:
        if name not in self.state.objects:
            return error(404, "No such object")
        return 200, {
            "name": name.partition("/o/")[2],
            "bucket": name.partition("/")[0],
            "size": str(len(self.state.objects[name])),
        }

    def _download(self, name: str, **_: Any) -> Answer:
        return 200, self.state.objects[name].encode()

    # Keys.

    def _ring(self, name: str, **_: Any) -> Answer:
        return (200, {"name": name}) if name in self.state.rings else error(404, f"KeyRing {name} not found.")

    def _create_ring(self, parent: str, *, params: dict[str, str], **_: Any) -> Answer:
        unpaid = self._unpaid(parent.split("/")[1])
        if unpaid:
            return unpaid
        self.state.rings.add(f"{parent}/{params['keyRingId']}")
        return 200, {"name": f"{parent}/{params['keyRingId']}"}

    def _key(self, name: str, **_: Any) -> Answer:
        return (200, self.state.keys[name]) if name in self.state.keys else error(404, f"CryptoKey {name} not found.")

    def _create_key(self, parent: str, *, body: Any, params: dict[str, str], **_: Any) -> Answer:
        name = f"{parent}/{params['cryptoKeyId']}"
        if name.partition("/cryptoKeys/")[0] not in self.state.rings:
            return error(404, "KeyRing not found.")
        if name in self.state.keys:
            return error(409, f"CryptoKey {name} already exists.")
        self.state.keys[name] = {
            **body,
            "name": name,
            "primary": {"name": f"{name}/cryptoKeyVersions/1", "state": "ENABLED"},
        }
        return 200, self.state.keys[name]

    def _patch_key(self, name: str, *, body: Any, **_: Any) -> Answer:
        self.state.keys[name].update(body)
        return 200, self.state.keys[name]

    # Secrets.

    def _without_secret_manager(self, project: str) -> Answer | None:
        if "secretmanager.googleapis.com" not in self.state.services.get(project, set()):
            return error(
                403,
                f"Secret Manager API has not been used in project {project} before or it is disabled.",
                reason="SERVICE_DISABLED",
                service="secretmanager.googleapis.com",
                consumer=f"projects/{project}",
            )
        return None

    def _create_secret(self, project: str, *, body: Any, params: dict[str, str], **_: Any) -> Answer:
        name = f"projects/{project}/secrets/{params['secretId']}"
        if refused := self._without_secret_manager(project):
            return refused
        if name in self.state.secrets:
            return error(409, f"Secret [{name}] already exists.")
        if len(body["replication"]) != 1:
            return error(400, "Secret.replication: exactly one policy is needed.")
        self.state.secrets[name] = {**body, "versions": []}
        return 200, {"name": name, **body}

    def _secret(self, name: str, **_: Any) -> Answer:
        if refused := self._without_secret_manager(name.split("/")[1]):
            return refused
        if name not in self.state.secrets:
            return error(404, f"Secret [{name}] not found.")
        return 200, {"name": name, "replication": self.state.secrets[name]["replication"]}

    def _latest_version(self, name: str, **_: Any) -> Answer:
        if refused := self._without_secret_manager(name.split("/")[1]):
            return refused
        versions = self.state.secrets.get(name, {}).get("versions", [])
        if not versions:
            return error(404, f"Secret [{name}] not found or has no versions.")
        return 200, {"name": f"{name}/versions/{len(versions)}", "state": versions[-1]["state"]}

    def _add_version(self, name: str, *, body: Any, **_: Any) -> Answer:
        if name not in self.state.secrets:
            return error(404, f"Secret [{name}] not found.")
        data = base64.b64decode(body["payload"]["data"], validate=True).decode()
        versions = self.state.secrets[name]["versions"]
        versions.append({"state": "ENABLED", "data": data})
        return 200, {"name": f"{name}/versions/{len(versions)}", "state": "ENABLED"}

    # Identities.

    def _identity(self, email: str, **_: Any) -> Answer:
        if email not in self.state.identities:
            return error(404, f"Unknown service account: {email}")
        return 200, self.state.identities[email]

    def _create_identity(self, project: str, *, body: Any, **_: Any) -> Answer:
        email = f"{body['accountId']}@{project}.iam.gserviceaccount.com"
        if email in self.state.identities:
            return error(409, f"Service account {body['accountId']} already exists within project projects/{project}.")
        self.state.identities[email] = {"email": email, **body["serviceAccount"]}
        self._unknown[email] = 1
        return 200, self.state.identities[email]

    # Custom roles: a deleted one is still to be seen, and keeps its name.

    def _role(self, name: str, **_: Any) -> Answer:
        if name not in self.state.roles:
            return error(404, f"The role named {name} was not found.")
        return 200, self.state.roles[name]

    def _create_role(self, project: str, *, body: Any, **_: Any) -> Answer:
        name = f"{project}/roles/{body['roleId']}"
        if name in self.state.roles:
            return error(409, f"A role named {body['roleId']} in {project} already exists.")
        self.state.roles[name] = {"name": name, **body["role"]}
        return 200, self.state.roles[name]

    def _patch_role(self, name: str, *, body: Any, params: dict[str, str], **_: Any) -> Answer:
        self.state.roles[name].update({key: body[key] for key in params["updateMask"].split(",")})
        return 200, self.state.roles[name]

    def _undelete_role(self, name: str, **_: Any) -> Answer:
        if not self.state.roles[name].pop("deleted", False):
            return error(400, "You can't undelete a role that is not deleted.")
        return 200, self.state.roles[name]

    def _pool(self, parent: str, short: str, **_: Any) -> Answer:
        name = f"{parent}/{short}"
        return (
            (200, self.state.pools[name]) if name in self.state.pools else error(404, "Requested entity was not found.")
        )

    def _create_pool(self, parent: str, *, body: Any, params: dict[str, str], **_: Any) -> Answer:
        name = f"{parent}/{params.get('workloadIdentityPoolId') or params['workloadIdentityPoolProviderId']}"
        if name in self.state.pools:
            return error(409, "Requested entity already exists")

        def done() -> Any:
            self.state.pools[name] = {"name": name, "state": "ACTIVE", **body}
            return self.state.pools[name]

        return self._later(f"{name}/", done)

    def _patch_pool(self, parent: str, short: str, *, body: Any, params: dict[str, str], **_: Any) -> Answer:
        name = f"{parent}/{short}"

        def done() -> Any:
            self.state.pools[name].update({key: body[key] for key in params["updateMask"].split(",")})
            return self.state.pools[name]

        return self._later(f"{name}/", done)

    def _undelete_pool(self, parent: str, short: str, **_: Any) -> Answer:
        name = f"{parent}/{short}"

        def done() -> Any:
            self.state.pools[name]["state"] = "ACTIVE"
            return self.state.pools[name]

        return self._later(f"{name}/", done)

    # Policies.

    def _there(self, name: str) -> bool:
        known = {f"projects/{project}" for project in self.state.projects} | {
            f"b/{bucket}" for bucket in self.state.buckets
        }
        short = name.rpartition("/serviceAccounts/")[2]
        folder = name.startswith(("folders/", "billingAccounts/"))
        subnet = f"/compute/v1/{name}" in self.state.networks
        return folder or subnet or name in known or name in self.state.keys or short in self.state.identities

    def _policy(self, name: str, **_: Any) -> Answer:
        if not self._there(name):
            return error(404, f"{name} not found.")
        return 200, {"version": 1, "etag": str(self._etags.get(name, 0)), "bindings": self.state.policies.get(name, [])}

    def _set_policy(self, name: str, *, body: Any, **_: Any) -> Answer:
        return self._put_policy(name, body=body["policy"])

    def _put_policy(self, name: str, *, body: Any, **_: Any) -> Answer:
        if body.get("etag") != str(self._etags.get(name, 0)):
            return 409, {
                "error": {"code": 409, "message": "There were concurrent policy changes.", "status": "ABORTED"}
            }
        if any("condition" in binding for binding in body["bindings"]) and body.get("version") != 3:
            return error(400, "Policy version 3 is needed for conditions.")
        for binding in body["bindings"]:
            for member in binding["members"]:
                email = member.removeprefix("serviceAccount:")
                if member.startswith("serviceAccount:") and self._unknown.get(
                    email, 0 if email in self.state.identities else 1
                ):
                    self._unknown[email] = 0
                    return error(400, f"Service account {email} does not exist.")
        self._etags[name] = self._etags.get(name, 0) + 1
        self.state.policies[name] = body["bindings"]
        return 200, {**body, "etag": str(self._etags[name])}

    # Compute.

    def _compute_project(self, name: str, **_: Any) -> Answer:
        if name not in self.state.projects:
            return error(404, f"The resource 'projects/{name}' was not found")
        quotas = [
            {"metric": metric, "limit": float(limit), "usage": float(usage)}
            for metric, (limit, usage) in self.state.quotas.items()
        ]
        return 200, {"name": name, "quotas": quotas}

    def _region(self, name: str, **_: Any) -> Answer:
        return (
            (200, self.state.regions[name])
            if name in self.state.regions
            else error(404, f"The resource 'regions/{name}' was not found")
        )

    def _machine(self, zone: str, name: str, **_: Any) -> Answer:
        cpus = self.state.machines.get(zone, {}).get(name)
        if cpus is None:
            return error(404, f"The resource 'zones/{zone}/machineTypes/{name}' was not found")
        return 200, {"name": name, "guestCpus": cpus}


@contextmanager
def served(fake: FakeGoogle) -> Generator[str]:
    """The fake on a free port of loopback; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            status, answer = fake.handle(self.command, self.path, body)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
