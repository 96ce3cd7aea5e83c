"""What identities do inside clusters: the part of the table of duties that Kubernetes' RBAC answers for.

Subjects are `User:EMAIL` for Google accounts and `ServiceAccount:NAMESPACE/NAME` for pods. The rights of Jenkins'
controller in the namespace of builds are the official chart's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atwork.access.audit import Finding
from atwork.access.rbac import Rbac, Request
from components import popups
from components.jenkins import names
from infra.stack import StackConfig

_ALL = ("get", "list", "watch", "create", "update", "patch", "delete")

RELEASE = (("", "secrets"),)
"""Where Helm keeps releases."""

CHART = (
    *RELEASE, ("", "pods"), ("", "services"), ("apps", "deployments"), ("autoscaling", "horizontalpodautoscalers"),
    ("networking.k8s.io", "networkpolicies"), ("policy", "poddisruptionbudgets"),
)  # fmt: skip
"""Kinds of the template's chart (delivery/template/repository/chart), and the pod of `helm test`."""

RELEASED_CHART = (
    *CHART, ("gateway.networking.k8s.io", "httproutes"), ("networking.gke.io", "healthcheckpolicies"),
    ("secrets-store.csi.x-k8s.io", "secretproviderclasses"),
)  # fmt: skip
"""Kinds that it brings outside pop-ups alone."""

CLEARED = (
    *CHART, ("batch", "cronjobs"), ("batch", "jobs"), ("apps", "statefulsets"), ("", "configmaps"),
    ("", "serviceaccounts"), ("monitoring.googleapis.com", "podmonitorings"),
)  # fmt: skip
"""Kinds that are deleted in a popup's namespace (delivery/vars/popups.groovy)."""

AGENT = (
    *(("pods", verb) for verb in (*_ALL, "deletecollection")), ("pods/exec", "create"), ("pods/exec", "get"),
    ("pods/log", "get"), ("events", "list"), ("events", "watch"),
)  # fmt: skip
"""What Jenkins' Kubernetes plugin does: resource and verb."""


@dataclass(frozen=True)
class Duty:
    """One thing that a subject does in a namespace."""

    subject: str
    does: str
    requests: tuple[Request, ...]


def of(config: StackConfig) -> Iterator[Duty]:
    """The duties inside one environment's cluster; the settings are complete with services (`infra.config.load`)."""
    project = config.project.id
    if config.upstream is not None:
        for namespace in config.tenants:
            deployer = f"User:platform-deployer@{project}.iam.gserviceaccount.com"
            yield Duty(deployer, f"deploy {namespace}", _every(RELEASED_CHART, namespace, _ALL))
    for namespace in config.popups.names() if config.popups is not None else ():
        acts = Request("impersonate", "serviceaccounts", namespace, name=popups.DEPLOYER)
        yield Duty(f"User:platform-popups@{project}.iam.gserviceaccount.com", "act as a popup's deployer", (acts,))
        own = f"ServiceAccount:{namespace}/{popups.DEPLOYER}"
        yield Duty(own, "bring a popup up", _every(CHART, namespace, _ALL))
        yield Duty(own, "empty a popup", _every(CLEARED, namespace, ("deletecollection",)))
    if config.jenkins is not None:
        controller = f"ServiceAccount:{names.CONTROLLER_NAMESPACE}/{names.CONTROLLER_ACCOUNT}"
        yield Duty(controller, "run tests", _agents(names.TESTS_NAMESPACE))
        for cloud in config.jenkins.targets():
            scheduler = f"ServiceAccount:{names.CONTROLLER_NAMESPACE}/{names.scheduler_account(cloud)}"
            yield Duty(scheduler, f"run the pods of {cloud}", _agents(names.target_namespace(cloud)))


def missing(environment: str, rbac: Rbac, duties: Iterable[Duty]) -> Iterator[Finding]:
    """Duties that RBAC does not allow."""
    for duty in duties:
        for request in duty.requests:
            if not rbac.may(duty.subject, request):
                what = f"{request.verb} {request.resource}{f'.{request.group}' if request.group else ''}"
                yield Finding(duty.subject, f"may not {duty.does}: {what} in {request.namespace} of {environment}")


def _every(kinds: Iterable[tuple[str, str]], namespace: str, verbs: Iterable[str]) -> tuple[Request, ...]:
    listed = tuple(verbs)
    return tuple(Request(verb, resource, namespace, group) for group, resource in kinds for verb in listed)


def _agents(namespace: str) -> tuple[Request, ...]:
    return tuple(Request(verb, resource, namespace) for resource, verb in AGENT)
