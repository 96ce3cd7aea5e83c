"""What admission policies of several components match."""

from __future__ import annotations

import pulumi_kubernetes as kubernetes

POD_CHANGES: kubernetes.admissionregistration.v1.NamedRuleWithOperationsArgsDict = {
    "api_groups": [""],
    "api_versions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["pods", "pods/ephemeralcontainers"],
}
"""New and changed pods, with the ephemeral containers of `kubectl debug`."""
