"""The load balancer that GKE's controller keeps for a Gateway: what it uses stays, and who deletes the cluster first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from support import internal_gateway
from support.mocks import Recording
from support.program import run_stack
from support.simulation import Provider, kubeconfig_of, providers

from atwork.sandbox.cloud import Cloud
from atwork.sandbox.provider.kubernetes.load_balancers import FORWARDING_RULE
from components.type_tokens import (
    BACKEND_POLICY,
    CLUSTER,
    GATEWAY,
    GATEWAY_POLICY,
    KUBERNETES_NAMESPACE,
    NETWORK,
    SUBNETWORK,
)

ADDRESS = "gcp:compute/globalAddress:GlobalAddress"
ARMOR = "gcp:compute/securityPolicy:SecurityPolicy"
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
INTERNAL_ADDRESS = "gcp:compute/address:Address"
REGIONAL_TLS = "gcp:compute/regionSslPolicy:RegionSslPolicy"
TLS = "gcp:compute/sSLPolicy:SSLPolicy"
CERTIFICATES = "gcp:certificatemanager/certificateMap:CertificateMap"
SHOP = {"name": "shop", "location": "europe-west1", "network": "vpc", "deletionProtection": False}
IN_USE = r"already being used by 'projects/acme/global/forwardingRules/gkegw1-[0-9a-f]{8}-gateway-main'"


@dataclass
class Environment:
    """A cluster with the Gateway of staging, and what its load balancer uses."""

    gcp: Provider
    kubernetes: Provider
    cloud: Cloud
    objects: dict[str, dict[str, Any]]
    """Inputs in Kubernetes, by type token."""
    google: dict[str, tuple[str, dict[str, Any]]]
    """Id and inputs in Google Cloud, by type token."""

    def delete(self, token: str) -> None:
        """Delete one of them."""
        if token in self.google:
            identity, inputs = self.google[token]
            self.gcp.delete(token, "it", identity, inputs)
        else:
            metadata = self.objects[token]["metadata"]
            namespace = f"{metadata['namespace']}/" if "namespace" in metadata else ""
            self.kubernetes.delete(token, "it", f"{namespace}{metadata['name']}", self.objects[token])


@pytest.fixture
def environment(tmp_path: Path, recordings: dict[str, Recording]) -> Iterator[Environment]:
    staging = recordings["staging"]
    with providers(tmp_path / "cloud.sqlite") as served:
        gcp = served["gcp"]
        inputs = {NETWORK: {"name": "vpc"}, CLUSTER: SHOP} | {
            token: {"name": "gateway"} for token in (ADDRESS, ARMOR, TLS, CERTIFICATES)
        }
        google = {token: (gcp.create(token, "it", value)[0], value) for token, value in inputs.items()}
        inside = Provider(served["kubernetes"].stub, {"kubeconfig": kubeconfig_of(gcp, "shop")})
        gateway = staging.resource(GATEWAY, "gateway-gateway").inputs
        policy = {
            **staging.resource(BACKEND_POLICY, "service-orders-backend").inputs,
            "metadata": {"name": "orders", "namespace": "gateway"},
        }
        objects = {
            KUBERNETES_NAMESPACE: {"metadata": {"name": "gateway"}},
            GATEWAY: gateway,
            GATEWAY_POLICY: staging.resource(GATEWAY_POLICY, "gateway-tls-policy").inputs,
            BACKEND_POLICY: policy,
        }
        for token, value in objects.items():
            inside.create(token, "it", value)
        yield Environment(gcp, inside, Cloud(tmp_path / "cloud.sqlite"), objects, google)


@pytest.fixture
def internal(tmp_path: Path) -> Iterator[Environment]:
    """A zonal cluster with the internal Gateway of staging, and what its load balancer uses."""
    staging = run_stack("staging", internal_gateway.settings())
    region = {"region": "europe-west1"}
    subnet = {"name": "proxies", "network": "vpc", "purpose": "REGIONAL_MANAGED_PROXY", **region}
    inputs: dict[str, dict[str, Any]] = {
        NETWORK: {"name": "vpc"},
        SUBNETWORK: {**subnet, "ipCidrRange": internal_gateway.PROXIES},
        CLUSTER: {**SHOP, "location": "europe-west1-b"},
        INTERNAL_ADDRESS: {"name": "gateway", "addressType": "INTERNAL", **region},
        REGIONAL_TLS: {"name": "gateway", **region},
        CERTIFICATE: {"name": "gateway-certificate-1a2b3c4", "location": "europe-west1"},
    }
    with providers(tmp_path / "cloud.sqlite") as served:
        gcp = served["gcp"]
        google = {token: (gcp.create(token, "it", value)[0], value) for token, value in inputs.items()}
        kubeconfig = kubeconfig_of(gcp, "shop", "europe-west1-b")
        inside = Provider(served["kubernetes"].stub, {"kubeconfig": kubeconfig})
        objects = {
            KUBERNETES_NAMESPACE: {"metadata": {"name": "gateway"}},
            GATEWAY: staging.resource(GATEWAY, "gateway-gateway").inputs,
            GATEWAY_POLICY: staging.resource(GATEWAY_POLICY, "gateway-tls-policy").inputs,
        }
        for token, value in objects.items():
            inside.create(token, "it", value)
        yield Environment(gcp, inside, Cloud(tmp_path / "cloud.sqlite"), objects, google)


OF_THE_REGION = [SUBNETWORK, INTERNAL_ADDRESS, REGIONAL_TLS, CERTIFICATE]


@pytest.mark.parametrize("token", OF_THE_REGION)
def test_an_internal_load_balancer_uses_parts_of_its_region(token: str, internal: Environment) -> None:
    rule = "projects/acme/regions/europe-west1/forwardingRules/gkegw1-[0-9a-f]{8}-gateway-internal"
    with pytest.raises(grpc.RpcError, match=f"already being used by '{rule}'"):
        internal.delete(token)
    internal.delete(GATEWAY)
    internal.delete(token)
    assert internal.cloud.objects("", FORWARDING_RULE) == []


@pytest.mark.parametrize("token", [ADDRESS, ARMOR, TLS, CERTIFICATES, NETWORK])
def test_nothing_that_a_load_balancer_uses_is_deleted_before_its_gateway(token: str, environment: Environment) -> None:
    if token == NETWORK:
        environment.delete(CLUSTER)
    with pytest.raises(grpc.RpcError, match=IN_USE):
        environment.delete(token)


@pytest.mark.parametrize("first", [GATEWAY, KUBERNETES_NAMESPACE])
def test_the_load_balancer_is_removed_with_its_gateway(first: str, environment: Environment) -> None:
    environment.delete(first)
    for token in (ADDRESS, ARMOR, TLS, CERTIFICATES, CLUSTER, NETWORK):
        environment.delete(token)
    assert environment.cloud.objects("", FORWARDING_RULE) == []


def test_a_cluster_that_is_deleted_with_its_gateway_leaves_the_load_balancer_behind(environment: Environment) -> None:
    environment.delete(CLUSTER)
    [rule] = environment.cloud.objects("", FORWARDING_RULE)
    assert rule.urn == ""
    with pytest.raises(grpc.RpcError, match=IN_USE):
        environment.delete(ADDRESS)
