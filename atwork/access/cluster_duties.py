"""What identities do inside clusters: the duties that Kubernetes RBAC must allow.

Subjects are `User:EMAIL` for Google accounts, `Group:EMAIL` for people and `ServiceAccount:NAMESPACE/NAME` for pods.
The rights of Jenkins' controller in the namespace of builds come from the official chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atwork.access.audit import AccessFinding
from atwork.access.rbac import ApiRequest, Rbac
from components.jenkins import names
from components.namespace_deployer import DEPLOYER
from infra.stack import StackConfig

_ALL_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")

RELEASE = (("", "secrets"),)
"""Where Helm stores releases."""

CHART = (
    *RELEASE,
    ("", "pods"),
    ("", "services"),
    ("apps", "deployments"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "jobs"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
)
"""Resources of the template's chart (delivery/template/repository/chart), and the pod of `helm test`."""

RELEASED_CHART = (
    *CHART,
    ("gateway.networking.k8s.io", "httproutes"),
    ("monitoring.googleapis.com", "podmonitorings"),
    ("networking.gke.io", "healthcheckpolicies"),
    ("secrets-store.csi.x-k8s.io", "secretproviderclasses"),
)
"""Resources of the chart outside preview namespaces."""

HOST = (("gateway.networking.k8s.io", "httproutes"), ("networking.gke.io", "gcpbackendpolicies"))
HOST_VERBS = ("create", "patch", "deletecollection")
"""Resources and verbs with which a build gets its host (`delivery/vars/previews.groovy`)."""

CLEARED = (
    *CHART,
    ("batch", "cronjobs"),
    ("apps", "statefulsets"),
    ("", "configmaps"),
    ("", "serviceaccounts"),
    ("monitoring.googleapis.com", "podmonitorings"),
    ("networking.gke.io", "healthcheckpolicies"),
)
"""Resources that are deleted in a preview namespace (`delivery/vars/previews.groovy`)."""

WATCHED = (
    ("", "configmaps"),
    ("", "events"),
    ("", "pods"),
    ("", "pods/log"),
    ("", "services"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("autoscaling", "horizontalpodautoscalers"),
    ("batch", "jobs"),
    ("networking.k8s.io", "networkpolicies"),
)
"""What people read who look into a service: `kubectl get`, `describe` and `logs`."""

REPAIRED = (
    ("create", "", "pods/exec"),
    ("create", "", "pods/portforward"),
    ("delete", "", "pods"),
    ("patch", "apps", "deployments"),
    ("patch", "apps", "deployments/scale"),
)
"""What people do who repair a service: a shell in a pod, a new pod, `kubectl rollout restart` and `scale`."""

AGENT = (
    *(("pods", verb) for verb in (*_ALL_VERBS, "deletecollection")),
    ("pods/exec", "create"),
    ("pods/exec", "get"),
    ("pods/log", "get"),
    ("events", "list"),
    ("events", "watch"),
)
"""Resources and verbs that the Kubernetes plugin of Jenkins uses."""


@dataclass(frozen=True)
class ClusterDuty:
    """One thing that a subject does in a namespace."""

    subject: str
    does: str
    requests: tuple[ApiRequest, ...]


def duties(config: StackConfig) -> Iterator[ClusterDuty]:
    """The duties inside the cluster of one environment; the settings include the services (`complete`)."""
    project = config.project.id
    yield from _people(config)
    if config.upstream is not None:
        google = f"User:platform-deployer@{project}.iam.gserviceaccount.com"
        for namespace in config.tenants:
            yield ClusterDuty(google, "act as the deployer of a service", (_acting(namespace),))
            deployer = f"ServiceAccount:{namespace}/{DEPLOYER}"
            yield ClusterDuty(deployer, f"deploy {namespace}", _requests(RELEASED_CHART, namespace, _ALL_VERBS))
    for namespace in config.preview_namespaces.names() if config.preview_namespaces is not None else ():
        google = f"User:platform-preview-namespaces@{project}.iam.gserviceaccount.com"
        yield ClusterDuty(google, "act as the deployer of a preview namespace", (_acting(namespace),))
        if config.preview_domain is not None:
            yield ClusterDuty(google, "give a build its host", _requests(HOST, namespace, HOST_VERBS))
        deployer = f"ServiceAccount:{namespace}/{DEPLOYER}"
        yield ClusterDuty(deployer, "deploy to a preview namespace", _requests(CHART, namespace, _ALL_VERBS))
        yield ClusterDuty(deployer, "empty a preview namespace", _requests(CLEARED, namespace, ("deletecollection",)))
    if config.jenkins is not None:
        controller = f"ServiceAccount:{names.CONTROLLER_NAMESPACE}/{names.CONTROLLER_ACCOUNT}"
        yield ClusterDuty(controller, "run tests", _agent_requests(names.TESTS_NAMESPACE))
        for cloud in config.jenkins.targets():
            scheduler = f"ServiceAccount:{names.CONTROLLER_NAMESPACE}/{names.scheduler_account(cloud)}"
            yield ClusterDuty(scheduler, f"run the pods of {cloud}", _agent_requests(names.target_namespace(cloud)))


def _people(config: StackConfig) -> Iterator[ClusterDuty]:
    for namespace, tenant in config.tenants.items():
        for group in tenant.groups:
            watched = _requests(WATCHED, namespace, ("get", "list", "watch"))
            yield ClusterDuty(f"Group:{group}", f"look at {namespace}", watched)
        for group in tenant.editors:
            repaired = tuple(ApiRequest(verb, resource, namespace, api) for verb, api, resource in REPAIRED)
            yield ClusterDuty(f"Group:{group}", f"repair {namespace}", repaired)


def missing(environment: str, rbac: Rbac, duties: Iterable[ClusterDuty]) -> Iterator[AccessFinding]:
    """Duties that RBAC does not allow."""
    for duty in duties:
        for request in duty.requests:
            if not rbac.may(duty.subject, request):
                what = f"{request.verb} {request.resource}{f'.{request.group}' if request.group else ''}"
                yield AccessFinding(
                    duty.subject, f"may not {duty.does}: {what} in {request.namespace} of {environment}"
                )


def _acting(namespace: str) -> ApiRequest:
    return ApiRequest("impersonate", "serviceaccounts", namespace, name=DEPLOYER)


def _requests(resources: Iterable[tuple[str, str]], namespace: str, verbs: tuple[str, ...]) -> tuple[ApiRequest, ...]:
    return tuple(ApiRequest(verb, resource, namespace, group) for group, resource in resources for verb in verbs)


def _agent_requests(namespace: str) -> tuple[ApiRequest, ...]:
    return tuple(ApiRequest(verb, resource, namespace) for resource, verb in AGENT)
