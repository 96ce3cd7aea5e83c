"""The API methods that identities call, by purpose; `permission:NAME` stands for a permission instead of a method."""

from __future__ import annotations

from collections.abc import Mapping

from atwork.permissions import calls

PULL = (
    "artifactregistry.projects.locations.repositories.get",
    "permission:artifactregistry.repositories.downloadArtifacts",
)
"""Pull images and charts. https://cloud.google.com/artifact-registry/docs/access-control#permissions"""

PUSH = (
    *PULL,
    "permission:artifactregistry.repositories.uploadArtifacts",
    "artifactregistry.projects.locations.repositories.packages.tags.create",
    "artifactregistry.projects.locations.repositories.packages.tags.patch",
)
READ_SECRET = ("secretmanager.projects.secrets.versions.access",)
LOG_IN = tuple(f"permission:cloudsql.instances.{verb}" for verb in ("get", "connect", "login"))
"""The connector requests the instance and a certificate, and logs in through IAM."""

LOG_IN_TO_REDIS = ("permission:memorystore.instances.connect",)
"""https://docs.cloud.google.com/memorystore/docs/valkey/about-iam-auth"""

USE_KEY = (
    "cloudkms.projects.locations.keyRings.cryptoKeys.encrypt",
    "cloudkms.projects.locations.keyRings.cryptoKeys.decrypt",
)
SIGN = ("cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions.asymmetricSign",)
ATTACH = ("permission:containeranalysis.notes.attachOccurrence", "containeranalysis.projects.notes.get")
ATTEST = ("containeranalysis.projects.occurrences.create",)
"""https://cloud.google.com/container-analysis/docs/ca-access-control"""

READ_ATTESTATIONS = ("containeranalysis.projects.notes.get", "containeranalysis.projects.notes.occurrences.list")
PUBLISH = ("pubsub.projects.topics.publish",)
GET_TOKEN = ("iamcredentials.projects.serviceAccounts.generateAccessToken",)
FIND_CLUSTER = ("container.projects.locations.clusters.get", "permission:container.clusters.connect")
REPORT_NODE = (
    "permission:logging.logEntries.create",
    "permission:monitoring.metricDescriptors.create",
    "permission:monitoring.timeSeries.create",
    "permission:autoscaling.sites.writeMetrics",
)
PASS_PROXY = ("permission:iap.webServiceVersions.accessViaIAP",)
"""https://cloud.google.com/iap/docs/managing-access"""

USE_SERVICE = ("permission:serviceusage.services.use",)
USE_SUBNETWORK = ("permission:compute.subnetworks.use", "compute.subnetworks.get")
"""Nodes, load balancers and endpoints in the subnet of a Shared VPC."""

USE_HOST_AGENT = ("permission:container.hostServiceAgent.use",)
"""GKE acts through its agent of the host project of a Shared VPC."""

READ_STATE = tuple(f"permission:storage.objects.{verb}" for verb in ("get", "list"))
WRITE_STATE = tuple(f"permission:storage.objects.{verb}" for verb in ("create", "delete", "update"))
DECRYPT = ("cloudkms.projects.locations.keyRings.cryptoKeys.decrypt",)
DELETE_PROJECT = ("cloudresourcemanager.projects.delete",)
CREATE_PROJECT = ("cloudresourcemanager.projects.create",)
PAY = ("permission:billing.resourceAssociations.create",)

_ALL = (
    PULL,
    PUSH,
    READ_SECRET,
    USE_KEY,
    SIGN,
    ATTACH,
    ATTEST,
    READ_ATTESTATIONS,
    USE_SUBNETWORK,
    PUBLISH,
    GET_TOKEN,
    FIND_CLUSTER,
    DECRYPT,
    CREATE_PROJECT,
    DELETE_PROJECT,
)

PERSON: Mapping[str, tuple[str, ...]] = {
    "roles/resourcemanager.projectCreator": CREATE_PROJECT,
    "roles/billing.user": PAY,
    "roles/resourcemanager.folderIamAdmin": ("permission:resourcemanager.folders.setIamPolicy",),
    "roles/billing.admin": ("permission:billing.accounts.setIamPolicy",),
}
"""The methods that the person who bootstraps calls with each role that docs/bootstrap.md lists. All other methods need
the owner role, which the creator of a project has:
https://cloud.google.com/resource-manager/docs/creating-managing-projects"""


def names() -> set[str]:
    """Every API method that an identity calls."""
    called = {method for methods in _ALL for method in methods if not method.startswith("permission:")}
    return called | calls.methods()
