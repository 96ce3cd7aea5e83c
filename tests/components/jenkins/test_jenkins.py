"""The resources that the component declares."""

from __future__ import annotations

from functools import cache
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pytest
from support.jenkins import ADDRESSES, CLOUDS, JOBS, LEAST, MOST, SOURCE, settings
from support.mocks import Recorded, Recording, record

from components.jenkins import secrets
from components.jenkins.jenkins import Jenkins
from components.jenkins.registry import Images
from components.jenkins.stores import STORES
from components.jenkins.values import helm_values
from components.registry import RegistryRefs

NAMESPACES = ["jenkins", "jenkins-agents", "jenkins-tests", *(f"jenkins-{cloud}" for cloud in CLOUDS)]
STORE_IMAGES = {store: Images(ADDRESSES.docker_hub, {})[store] for store in STORES}
IDENTITIES = {
    cloud: (
        "principal://iam.googleapis.com/projects/482015730914/locations/global/workloadIdentityPools/"
        f"acme-ci.svc.id.goog/subject/ns/jenkins-{cloud}/sa/deployer"
    )
    for cloud in CLOUDS
}


def _record(base: dict[str, Any], **changes: object) -> Recording:
    def program() -> None:
        refs = RegistryRefs(
            pulumi.Output.from_input("acme-ci"),
            "europe",
            {key: pulumi.Output.from_input(key) for key in ("candidates", "cache", "services", "charts", "docker-hub")},
            candidates="candidates",
            services="services",
            charts="charts",
            cache="cache",
            docker_hub="docker-hub",
        )
        providers: list[pulumi.ProviderResource] = [
            gcp.Provider("google", project="acme-ci"),
            kubernetes.Provider("inside", kubeconfig="{}"),
        ]
        Jenkins(
            "jenkins",
            settings(base, **changes),
            project_number="482015730914",
            workload_pool="acme-ci.svc.id.goog",
            registry=refs,
            source=SOURCE,
            jobs=JOBS,
            opts=pulumi.ResourceOptions(providers=providers),
        )

    return record(program)


@cache
def _most() -> Recording:
    return _record(MOST)


def _in(recording: Recording, token: str) -> dict[str, list[Recorded]]:
    """Objects of one kind by namespace."""
    by_namespace: dict[str, list[Recorded]] = {}
    for resource in recording.of_type(token).values():
        by_namespace.setdefault(resource.inputs["metadata"]["namespace"], []).append(resource)
    return by_namespace


def _release(recording: Recording) -> Recorded:
    return recording.resource("kubernetes:helm.sh/v3:Release", "jenkins-release")


def test_every_namespace_has_quota_limits_closed_network_and_a_powerless_account() -> None:
    namespaces = _most().of_type("kubernetes:core/v1:Namespace").values()
    assert [namespace.inputs["metadata"]["name"] for namespace in namespaces] == NAMESPACES
    for token, count in (
        ("kubernetes:core/v1:ResourceQuota", 1),
        ("kubernetes:core/v1:LimitRange", 1),
        ("kubernetes:core/v1:ServiceAccountPatch", 1),
        ("kubernetes:networking.k8s.io/v1:NetworkPolicy", 3),
    ):
        assert {name: len(objects) for name, objects in _in(_most(), token).items()} == dict.fromkeys(NAMESPACES, count)


def test_pod_security_levels() -> None:
    levels = {
        namespace.inputs["metadata"]["name"]: namespace.inputs["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for namespace in _most().of_type("kubernetes:core/v1:Namespace").values()
    }
    assert levels == {
        "jenkins": "restricted",
        "jenkins-agents": "privileged",
        "jenkins-tests": "baseline",
        **{f"jenkins-{cloud}": "restricted" for cloud in CLOUDS},
    }


def test_accounts_mount_no_token_by_themselves() -> None:
    accounts = _most().of_type("kubernetes:core/v1:ServiceAccount").values()
    assert len(accounts) == 3 + 2 * len(CLOUDS)
    assert all(account.inputs["automountServiceAccountToken"] is False for account in accounts)


@pytest.mark.parametrize("guarded", [True, False])
def test_the_home_and_its_namespace_are_guarded_together(guarded: bool) -> None:  # noqa: FBT001 - both cases
    recording = _record(LEAST, protect_home=guarded, retain_home=guarded)
    home = recording.resource("kubernetes:core/v1:PersistentVolumeClaim", "jenkins-home")
    namespace = recording.resource("kubernetes:core/v1:Namespace", "jenkins-controller-namespace")
    for resource in (home, namespace):
        assert (resource.protect, resource.retain_on_delete) == (guarded, guarded)
    other = recording.resource("kubernetes:core/v1:Namespace", "jenkins-builders-agents-namespace")
    assert (other.protect, other.retain_on_delete) == (False, False)


def test_the_home_is_not_waited_for() -> None:
    home = _most().resource("kubernetes:core/v1:PersistentVolumeClaim", "jenkins-home")
    assert home.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert home.inputs["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "standard-rwo",
        "resources": {"requests": {"storage": "50Gi"}},
    }


def test_the_release_depends_on_everything_else() -> None:
    release = _release(_most())
    in_cluster = {
        resource.urn
        for resource in _most().resources.values()
        if resource.type.startswith("kubernetes:") and resource.urn != release.urn
    }
    assert in_cluster <= set(release.depends_on)


def test_the_release_is_the_official_chart_with_our_values() -> None:
    inputs = dict(_release(_most()).inputs)
    assert inputs.pop("values") == helm_values(settings(MOST), ADDRESSES, SOURCE, JOBS)
    assert inputs == {
        "name": "jenkins",
        "namespace": "jenkins",
        "chart": "jenkins",
        "version": "5.9.53",
        "repositoryOpts": {"repo": "https://charts.jenkins.io"},
        "timeout": 900,
        "maxHistory": 10,
        "compat": "true",
    }


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ({"source": "oci", "location": "oci://ghcr.io/x/jenkins"}, ("oci://ghcr.io/x/jenkins", "5.9.53", None)),
        ({"source": "path", "location": "../chart"}, ("../chart", None, None)),
        (
            {"location": "https://charts.example.com", "version": "5.9.54"},
            ("jenkins", "5.9.54", {"repo": "https://charts.example.com"}),
        ),
    ],
)
def test_the_chart_can_come_from_another_source(chart: dict[str, str], expected: tuple[object, ...]) -> None:
    inputs = _release(_record(LEAST, chart=chart)).inputs
    assert (inputs["chart"], inputs.get("version"), inputs.get("repositoryOpts")) == expected


def test_outputs_are_the_public_attributes() -> None:
    component = _most().resource("atwork:jenkins:Jenkins", "jenkins")
    assert component.outputs == {
        "url": "https://jenkins.ci.example.com",
        "namespace": "jenkins",
        "identities": IDENTITIES,
        "preview_images": list(STORE_IMAGES.values()),
    }
    for part in _most().components():
        assert part.outputs is not None, f"{part.name} registers no outputs"
        assert part.inputs == {}, f"{part.name} has inputs"


def test_without_deploys_no_identity_deploys() -> None:
    recording = _record(LEAST)
    assert recording.resource("atwork:jenkins:Jenkins", "jenkins").outputs == {
        "url": "https://jenkins.ci.example.com",
        "namespace": "jenkins",
        "identities": {},
        "preview_images": list(STORE_IMAGES.values()),
    }
    assert not recording.of_type("kubernetes:core/v1:Secret")


def test_jenkins_own_account_has_no_right_where_deploys_run() -> None:
    subjects = {
        namespace: [subject for binding in bindings for subject in binding.inputs["subjects"]]
        for namespace, bindings in _in(_most(), "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding").items()
    }
    account = {"kind": "ServiceAccount", "namespace": "jenkins"}
    assert subjects == {
        "jenkins-tests": [{**account, "name": "jenkins"}],
        **{f"jenkins-{cloud}": [{**account, "name": f"jenkins-{cloud}"}] for cloud in CLOUDS},
    }


def test_roles_reach_pods_and_their_logs_alone() -> None:
    for role in _most().of_type("kubernetes:rbac.authorization.k8s.io/v1:Role").values():
        reached = {resource for rule in role.inputs["rules"] for resource in rule["resources"]}
        assert reached == {"pods", "pods/exec", "pods/log", "events"}


def test_tokens_are_no_resources_of_the_program() -> None:
    """A resource is read back into the state, where previews of pull requests could read it."""
    assert not [item for item in _most().resources.values() if item.type.endswith(":Secret")]


def test_tokens_are_extra_objects_of_the_chart_that_the_cluster_fills_in() -> None:
    values = _release(_most()).inputs["values"]
    created = {item["metadata"]["name"]: item for item in values["extraObjects"].values() if item["kind"] == "Secret"}
    accounts = {
        item.inputs["metadata"]["name"]: item.urn
        for item in _in(_most(), "kubernetes:core/v1:ServiceAccount")["jenkins"]
    }
    assert len(created) == len(CLOUDS) + 1
    reload = created.pop("jenkins-reload-token")
    assert reload["metadata"]["annotations"]["kubernetes.io/service-account.name"] in accounts
    assert (reload["type"], "data" in reload) == ("kubernetes.io/service-account-token", False)
    for secret in created.values():
        assert secret["type"] == "kubernetes.io/service-account-token"
        assert secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] in accounts
        assert not {"data", "stringData"} & set(secret)
    mounted = values["controller"]["additionalExistingSecrets"]
    assert {secret["name"] for secret in mounted if secret["keyName"] == "token"} == set(created)


def test_builds_write_candidates_only_the_promote_job_releases_deploys_read_and_tests_do_nothing() -> None:
    grants: dict[str, set[str]] = {}
    for member in _most().of_type("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember").values():
        inputs = member.inputs
        assert (inputs["project"], inputs["location"]) == ("acme-ci", "europe")
        subject = inputs["member"].rpartition("/ns/")[2]
        grants.setdefault(subject, set()).add(f"{inputs['role'].rpartition('.')[2]} {inputs['repository']}")
    assert grants == {
        "jenkins-agents/sa/jenkins-agent": {"writer candidates", "writer cache", "reader docker-hub"},
        "jenkins-deploy-staging/sa/deployer": {
            "reader charts"
        },  # production's pods act as an account of its environment
        "jenkins-previews-staging/sa/deployer": {"reader candidates"},
        "jenkins-promote/sa/deployer": {"reader candidates", "writer services", "writer charts"},
    }


def test_deploy_pods_act_as_the_environments_account_where_it_is_named() -> None:
    accounts = _most().of_type("kubernetes:core/v1:ServiceAccount")
    annotations = {
        environment: accounts[f"jenkins-deploy-{environment}-account"].inputs["metadata"].get("annotations", {})
        for environment in ("staging", "production")
    }
    assert annotations == {
        "staging": {},
        "production": {"iam.gke.io/gcp-service-account": "platform-deployer@acme-production.iam.gserviceaccount.com"},
    }


def _traffic(recording: Recording, name: str) -> dict[str, Any]:
    return recording.resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", name).inputs["spec"]


def test_only_pods_and_load_balancers_reach_jenkins() -> None:
    (rule,) = _traffic(_most(), "jenkins-controller-traffic")["ingress"]
    (expression,) = rule["from"][0]["namespaceSelector"]["matchExpressions"]
    assert set(expression["values"]) == {*NAMESPACES[1:], "gke-gmp-system", "gmp-system"}
    assert [peer["ipBlock"]["cidr"] for peer in rule["from"][1:]] == ["35.191.0.0/16", "130.211.0.0/22"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]
    (closed,) = _traffic(_record(LEAST), "jenkins-controller-traffic")["ingress"]
    assert len(closed["from"]) == 1


@pytest.mark.parametrize(
    ("name", "identity"),
    [("jenkins-builders-agents", True), ("jenkins-builders-tests", False), ("jenkins-deploy-production", True)],
)
def test_agents_reach_jenkins_the_internet_and_an_identity_if_they_have_one(
    name: str,
    identity: bool,  # noqa: FBT001 - part of the case
) -> None:
    rules = _traffic(_most(), f"{name}-traffic")["egress"]
    blocks = {block["cidr"]: block.get("except", []) for rule in rules for block in _blocks(rule)}
    assert "10.0.0.0/8" in blocks.pop("0.0.0.0/0")
    assert set(blocks) == ({"169.254.169.254/32", "169.254.169.252/32"} if identity else set())
    assert rules[0]["to"][0]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "jenkins"}}


def _blocks(rule: dict[str, Any]) -> list[dict[str, Any]]:
    return [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]


def test_build_pods_evict_no_other_pods() -> None:
    classes = _most().of_type("kubernetes:scheduling.k8s.io/v1:PriorityClass").values()
    by_name = {item.inputs["metadata"]["name"]: item.inputs for item in classes}
    assert by_name["jenkins-agents"]["preemptionPolicy"] == "Never"
    assert by_name["jenkins-controller"]["value"] > by_name["jenkins-agents"]["value"]


def test_the_policy_holds_in_the_builders_namespace() -> None:
    token = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    policy = _most().resource(token, "jenkins-builders-policy")
    binding = _most().resource(f"{token}Binding", "jenkins-builders-policy-binding").inputs["spec"]
    assert binding["policyName"] == policy.inputs["metadata"]["name"]
    assert binding["validationActions"] == ["Deny"]
    assert binding["matchResources"]["namespaceSelector"] == {
        "matchLabels": {"kubernetes.io/metadata.name": "jenkins-agents"}
    }
    assert policy.inputs["spec"]["failurePolicy"] == "Fail"
    assert len(policy.inputs["spec"]["validations"]) == 11
    image = {item["name"]: item["expression"] for item in policy.inputs["spec"]["variables"]}["buildkit"]
    assert image == f"'{Images(ADDRESSES.docker_hub, {})['buildkit']}'"


def test_the_placement_policy_names_the_agents_pool() -> None:
    token = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    recording = _record(LEAST, agent_pool="builders")
    policy = recording.resource(token, "jenkins-builders-placement").inputs
    assert policy["spec"]["variables"] == [{"name": "pool", "expression": "'builders'"}]
    assert policy["spec"]["failurePolicy"] == "Fail"
    binding = recording.resource(f"{token}Binding", "jenkins-builders-placement-binding").inputs["spec"]
    assert (binding["policyName"], binding["validationActions"]) == (policy["metadata"]["name"], ["Deny"])


@pytest.mark.parametrize("base", [LEAST, MOST], ids=["least", "most"])
def test_the_controller_may_read_its_secrets_before_it_starts(base: dict[str, Any]) -> None:
    recording = _record(base)
    grants = recording.of_type("gcp:secretmanager/secretIamMember:SecretIamMember")
    assert {grant.inputs["secretId"] for grant in grants.values()} == {
        secret.name for secret in secrets.expected(settings(base))
    }
    for grant in grants.values():
        assert grant.inputs["project"] == "acme-ci"
        assert grant.inputs["role"] == "roles/secretmanager.secretAccessor"
        assert grant.inputs["member"].endswith("acme-ci.svc.id.goog/subject/ns/jenkins/sa/jenkins")
    assert {grant.urn for grant in grants.values()} <= set(_release(recording).depends_on)


def test_the_program_creates_no_secret_with_a_value() -> None:
    assert _most().of_type("kubernetes:core/v1:Secret") == {}
    assert _most().of_type("gcp:secretmanager/secret:Secret") == {}
    assert _most().of_type("gcp:secretmanager/secretVersion:SecretVersion") == {}
