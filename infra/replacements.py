"""What a replacement must not delete before the new one stands (docs/adr/0011-replacements.md).

The providers delete first what has a name of the program's choice, because two of one name cannot exist. For what
holds data, or an identity that others rely on, that order is wrong: everything is gone when the second half fails.
Created first, the new one meets the old one's name (409), and the update ends before anything is deleted.
"""

from __future__ import annotations

import pulumi

CREATED_FIRST = frozenset(
    {
        "gcp:artifactregistry/repository:Repository",
        "gcp:compute/address:Address",
        "gcp:compute/globalAddress:GlobalAddress",
        "gcp:compute/network:Network",
        "gcp:compute/subnetwork:Subnetwork",
        "gcp:container/cluster:Cluster",
        "gcp:container/nodePool:NodePool",
        "gcp:containeranalysis/note:Note",
        "gcp:dns/managedZone:ManagedZone",
        "gcp:gkebackup/backupPlan:BackupPlan",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:kms/keyRing:KeyRing",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "gcp:memorystore/instance:Instance",
        "gcp:organizations/project:Project",
        "gcp:pubsub/topic:Topic",
        "gcp:secretmanager/secret:Secret",
        "gcp:serviceaccount/account:Account",
        "gcp:sql/database:Database",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "gcp:sql/user:User",
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:PersistentVolumeClaim",
    }
)
"""Types that are never deleted before their replacement is there."""


def create_first(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Ask the engine to create these types first, whatever their provider would choose."""
    if args.type_ not in CREATED_FIRST:
        return None
    ordered = pulumi.ResourceOptions(delete_before_replace=False)
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, ordered))
