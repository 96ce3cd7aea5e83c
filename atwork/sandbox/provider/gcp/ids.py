"""Ids in the formats of the official provider, and references between resources."""

from __future__ import annotations

import json
import re
from hashlib import sha256

from atwork.sandbox.provider import schema
from atwork.sandbox.provider.gcp.rules import is_policy_member
from atwork.sandbox.provider.package import ResourceRequest
from atwork.sandbox.provider.values import reveal

# The documented import formats; {project} and {region} default to those of the provider.
_FORMATS = {
    "gcp:artifactregistry/repository:Repository": "projects/{project}/locations/{location}/repositories/{repositoryId}",
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": "projects/{project}/locations/{location}/"
    "repositories/{repository}/{role}/{member}",
    "gcp:binaryauthorization/attestor:Attestor": "projects/{project}/attestors/{name}",
    "gcp:binaryauthorization/policy:Policy": "projects/{project}",
    "gcp:certificatemanager/certificate:Certificate": "projects/{project}/locations/{location}/certificates/{name}",
    "gcp:certificatemanager/certificateMap:CertificateMap": "projects/{project}/locations/global/"
    "certificateMaps/{name}",
    "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry": "projects/{project}/locations/global/"
    "certificateMaps/{map}/certificateMapEntries/{name}",
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": "projects/{project}/locations/{location}/"
    "dnsAuthorizations/{name}",
    "gcp:compute/address:Address": "projects/{project}/regions/{region}/addresses/{name}",
    "gcp:compute/firewall:Firewall": "projects/{project}/global/firewalls/{name}",
    "gcp:compute/globalAddress:GlobalAddress": "projects/{project}/global/addresses/{name}",
    "gcp:compute/network:Network": "projects/{project}/global/networks/{name}",
    "gcp:compute/regionSslPolicy:RegionSslPolicy": "projects/{project}/regions/{region}/sslPolicies/{name}",
    "gcp:compute/router:Router": "projects/{project}/regions/{region}/routers/{name}",
    "gcp:compute/routerNat:RouterNat": "{project}/{region}/{router}/{name}",
    "gcp:compute/securityPolicy:SecurityPolicy": "projects/{project}/global/securityPolicies/{name}",
    "gcp:compute/sSLPolicy:SSLPolicy": "projects/{project}/global/sslPolicies/{name}",
    "gcp:compute/subnetwork:Subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
    "gcp:container/cluster:Cluster": "projects/{project}/locations/{location}/clusters/{name}",
    "gcp:container/nodePool:NodePool": "{cluster}/nodePools/{name}",
    "gcp:containeranalysis/note:Note": "projects/{project}/notes/{name}",
    "gcp:containeranalysis/noteIamMember:NoteIamMember": "projects/{project}/notes/{note}/{role}/{member}",
    "gcp:dns/managedZone:ManagedZone": "projects/{project}/managedZones/{name}",
    "gcp:dns/recordSet:RecordSet": "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
    "gcp:dns/policy:Policy": "projects/{project}/policies/{name}",
    "gcp:gkebackup/backupPlan:BackupPlan": "projects/{project}/locations/{location}/backupPlans/{name}",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": "{cryptoKeyId}/{role}/{member}",
    "gcp:kms/keyRing:KeyRing": "projects/{project}/locations/{location}/keyRings/{name}",
    "gcp:kms/cryptoKey:CryptoKey": "{keyRing}/cryptoKeys/{name}",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "projects/{project}/locations/{location}/buckets/{bucketId}",
    "gcp:logging/projectExclusion:ProjectExclusion": "projects/{project}/exclusions/{name}",
    "gcp:logging/projectSink:ProjectSink": "projects/{project}/sinks/{name}",
    "gcp:memorystore/instance:Instance": "projects/{project}/locations/{location}/instances/{instanceId}",
    "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy": "projects/{project}/locations/"
    "{location}/serviceConnectionPolicies/{name}",
    "gcp:organizations/project:Project": "projects/{projectId}",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": "{project}/audit_config/{service}",
    "gcp:projects/iAMCustomRole:IAMCustomRole": "projects/{project}/roles/{roleId}",
    "gcp:projects/iAMMember:IAMMember": "{project}/{role}/{member}",
    "gcp:projects/service:Service": "{project}/{service}",
    "gcp:projects/serviceIdentity:ServiceIdentity": "projects/{project}/services/{service}",
    "gcp:pubsub/subscription:Subscription": "projects/{project}/subscriptions/{name}",
    "gcp:pubsub/topic:Topic": "projects/{project}/topics/{name}",
    "gcp:pubsub/topicIAMMember:TopicIAMMember": "{topic}/{role}/{member}",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "projects/{project}/secrets/{secretId}/{role}/{member}",
    "gcp:secretmanager/secret:Secret": "projects/{project}/secrets/{secretId}",
    "gcp:serviceaccount/account:Account": "projects/{project}/serviceAccounts/{accountId}@{project}"
    ".iam.gserviceaccount.com",
    "gcp:serviceaccount/iAMMember:IAMMember": "{serviceAccountId}/{role}/{member}",
    "gcp:sql/database:Database": "projects/{project}/instances/{instance}/databases/{name}",
    "gcp:sql/databaseInstance:DatabaseInstance": "{name}",
    "gcp:sql/user:User": "{name}//{instance}",
    "gcp:storage/bucket:Bucket": "{name}",
}
# Ids that Google assigns: the collection, and the immutable properties that make another resource of it.
_ASSIGNED = {
    "gcp:billing/budget:Budget": ("billingAccounts/{billingAccount}/budgets", ("billingAccount",)),
    "gcp:monitoring/dashboard:Dashboard": ("projects/{project}/dashboards", ()),
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": (
        "projects/{project}/uptimeCheckConfigs",
        ("monitoredResource",),
    ),
}
# Properties that refer to another resource: its id if the value is only a name.
_REFERENCES = {
    "network": "projects/{project}/global/networks/{}",
    "subnetwork": "projects/{project}/regions/{region}/subnetworks/{}",
    "cluster": "projects/{project}/locations/{location}/clusters/{}",
    "instance": "{}",
    "masterInstanceName": "{}",
    "map": "projects/{project}/locations/global/certificateMaps/{}",
    "managedZone": "projects/{project}/managedZones/{}",
    "router": "projects/{project}/regions/{region}/routers/{}",
    "repository": "projects/{project}/locations/{location}/repositories/{}",
    "serviceAccountId": "{}",
    "keyRing": "{}",
    "cryptoKeyId": "{}",
    "note": "projects/{project}/notes/{}",
    "secretId": "projects/{project}/secrets/{}",
    "topic": "projects/{project}/topics/{}",
}
_SELF_LINK = re.compile(r"^https://[a-z]+\.googleapis\.com/[a-z]+/v1/")


def _fields(resource: ResourceRequest) -> dict[str, str]:
    region = resource.config.get("region", "")
    defaults = {"project": resource.config.get("project", ""), "region": region, "location": region}
    given = {key: str(value) for key, value in reveal(resource.inputs).items() if isinstance(value, str | int)}
    return {**defaults, **given}


def id_of(resource: ResourceRequest) -> str:
    """The id of the resource."""
    fields = _fields(resource)
    if resource.token in _FORMATS:
        return _FORMATS[resource.token].format_map(fields) + _condition(resource)
    if resource.token in _ASSIGNED:
        collection, immutable = _ASSIGNED[resource.token]
        values = [reveal(resource.inputs).get(key) for key in immutable]
        content = json.dumps([fields["project"], *values], sort_keys=True)
        return f"{collection.format_map(fields)}/{resource.logical_name}-{sha256(content.encode()).hexdigest()[:8]}"
    # Types outside of the table: all naming properties in the order of the schema, which is unique for the type.
    properties = schema.resource(resource.token)["inputs"]["properties"]
    naming = [key for key in properties if key in ("location", "region", "zone", "name", "role", "member")]
    naming += [key for key in properties if key.endswith("Id") and key not in naming]
    parts = [f"projects/{fields['project']}", *(fields[key] for key in naming if key in fields)]
    return "/".join(parts) if len(parts) > 1 else f"{parts[0]}/{resource.logical_name}"


def _condition(resource: ResourceRequest) -> str:
    """What a condition adds to the id of a member of a policy (tpgiamresource/iam_condition.go)."""
    condition = reveal(resource.inputs).get("condition")
    if not isinstance(condition, dict) or not is_policy_member(resource.token):
        return ""
    return "".join(f"/{condition.get(key, '')}" for key in ("title", "description", "expression"))


def references_of(resource: ResourceRequest) -> set[str]:
    """Ids of the resources that the inputs refer to."""
    fields = _fields(resource)
    references: set[str] = set()
    for key, pattern in _REFERENCES.items():
        value = fields.get(key)
        if not value or (key == "secretId" and resource.token.endswith(":Secret")):
            continue
        plain = _SELF_LINK.sub("", value)
        references.add(plain if "/" in plain else pattern.format(plain, **fields))
    return references
