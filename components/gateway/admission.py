"""What is refused at admission, so that no team takes the host of another.

A namespace has its host names and the Services behind them in annotations, which only the program changes: accounts of
a namespace have no right to change the namespace itself. The policy compares every route with them. A preview namespace
has the domain of its hosts there, because its service and its pull request change: the host of a route names both, and
the route leads to the service of that name and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from components.admission_rules import enforce
from components.gateway import names

if TYPE_CHECKING:
    from pulumi_kubernetes.admissionregistration.v1 import ValidatingAdmissionPolicySpecArgsDict as Spec
    from pulumi_kubernetes.admissionregistration.v1 import VariableArgsDict as Variable

POLICY = "hosts"

_BUILD = "^[a-z]([-a-z0-9]*[a-z0-9])?-pr-[1-9][0-9]{0,8}$"
"""First label of the host of a preview namespace."""


def spec() -> Spec:
    """Routes outside of the gateway's own namespace have hosts and backends of their namespace only."""
    return {
        "failure_policy": "Fail",
        "match_constraints": {
            "resource_rules": [
                {
                    "api_groups": ["gateway.networking.k8s.io"],
                    "api_versions": ["*"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["httproutes"],
                }
            ],
            "namespace_selector": {
                "match_expressions": [
                    {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [names.NAMESPACE]}
                ]
            },
        },
        # A route that is being deleted changes once more, when its finalizers go.
        "match_conditions": [{"name": "stays", "expression": "!has(object.metadata.deletionTimestamp)"}],
        "variables": _variables(),
        "validations": [
            {
                "expression": "object.spec.?hostnames.orValue([]).size() > 0 && "
                "object.spec.hostnames.all(host, host in variables.hosts)",
                "message_expression": "variables.previews != '' ? 'hostnames must be SERVICE-pr-NUMBER.' + "
                "variables.previews + ' in a preview namespace' : "
                "'hostnames must be those of the namespace (' + variables.hosts.join(', ') + "
                "'); write the host in environments of services/NAME.yaml'",
            },
            {
                "expression": "object.spec.?rules.orValue([]).all(rule, rule.?backendRefs.orValue([]).all(backend, "
                "backend.name in variables.backends && backend.?kind.orValue('Service') == 'Service' && "
                "backend.?namespace.orValue(namespaceObject.metadata.name) == namespaceObject.metadata.name))",
                "message_expression": "'backendRefs must be Services behind the policies of the gateway (' + "
                "variables.backends.join(', ') + ')'",
            },
        ],
    }


def _variables() -> list[Variable]:
    """What the namespace allows: the hosts, and the Services behind them."""
    expressions = {
        "previews": _annotation(names.PREVIEW_DOMAIN),
        "host": "object.spec.?hostnames.orValue([]).size() == 1 ? object.spec.hostnames[0] : ''",
        "label": "variables.previews != '' && variables.host.endsWith('.' + variables.previews) ? "
        "variables.host.substring(0, variables.host.size() - variables.previews.size() - 1) : ''",
        "build": f"variables.label.matches('{_BUILD}')",
        "hosts": f"variables.build ? [variables.host] : {_listed(names.HOSTS)}",
        "backends": "variables.build ? [variables.label.substring(0, variables.label.lastIndexOf('-pr-'))] : "
        f"{_listed(names.BACKENDS)}",
    }
    return [{"name": name, "expression": expression} for name, expression in expressions.items()]


def _annotation(name: str) -> str:
    return f"namespaceObject.metadata.?annotations[?'{name}'].orValue('')"


def _listed(annotation: str) -> str:
    return f"{_annotation(annotation)}.split(',').filter(value, value != '')"


def make(name: str, opts: pulumi.ResourceOptions) -> None:
    """The policy, in force."""
    enforce(f"{name}-hosts", POLICY, spec(), opts)
