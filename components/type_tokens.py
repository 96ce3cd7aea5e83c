"""Type tokens of the resources that several parts of the project treat specially, as the SDKs write them.

A token has the form `PACKAGE:MODULE:CLASS`. https://www.pulumi.com/docs/iac/concepts/resources/names/#types
"""

from __future__ import annotations

ALERT_POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
ATTESTOR = "gcp:binaryauthorization/attestor:Attestor"
BINARY_AUTHORIZATION_POLICY = "gcp:binaryauthorization/policy:Policy"
BUDGET = "gcp:billing/budget:Budget"
CLUSTER = "gcp:container/cluster:Cluster"
CRYPTO_KEY = "gcp:kms/cryptoKey:CryptoKey"
CRYPTO_KEY_VERSION = "gcp:kms/cryptoKeyVersion:CryptoKeyVersion"
DASHBOARD = "gcp:monitoring/dashboard:Dashboard"
DATABASE = "gcp:sql/database:Database"
DATABASE_INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE_USER = "gcp:sql/user:User"
KEY_RING = "gcp:kms/keyRing:KeyRing"
LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
NETWORK = "gcp:compute/network:Network"
NODE_POOL = "gcp:container/nodePool:NodePool"
NOTE = "gcp:containeranalysis/note:Note"
OCCURRENCE = "gcp:containeranalysis/occurence:Occurence"  # the SDK's spelling
ORGANIZATION_CUSTOM_ROLE = "gcp:organizations/iAMCustomRole:IAMCustomRole"
PROJECT = "gcp:organizations/project:Project"
PROJECT_AUDIT_CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
PROJECT_CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
PROJECT_POLICY = "gcp:projects/iAMPolicy:IAMPolicy"
PROJECT_SERVICE = "gcp:projects/service:Service"
REDIS_INSTANCE = "gcp:memorystore/instance:Instance"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
ROUTER_NAT = "gcp:compute/routerNat:RouterNat"
SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105 (a type)
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 (a type)
SERVICE_ACCOUNT = "gcp:serviceaccount/account:Account"
SERVICE_IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"

BACKEND_POLICY = "kubernetes:networking.gke.io/v1:GCPBackendPolicy"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
GATEWAY_POLICY = "kubernetes:networking.gke.io/v1:GCPGatewayPolicy"
KUBERNETES_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
KUBERNETES_NAMESPACE = "kubernetes:core/v1:Namespace"
KUBERNETES_SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 (a type)
RELEASE = "kubernetes:helm.sh/v3:Release"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
VOLUME_CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
