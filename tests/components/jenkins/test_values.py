"""The Helm values and the scripts in them, as data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
import yaml
from conftest import Golden
from support.jenkins import ADDRESSES, CLOUDS, JOBS, LEAST, MOST, SOURCE, settings

from components import versions
from components.jenkins import jcasc, names, secrets
from components.jenkins.registry import Images
from components.jenkins.values import helm_values

BOTH = pytest.mark.parametrize("base", [LEAST, MOST], ids=["least", "most"])


def _values(base: dict[str, Any] = MOST, **changes: object) -> dict[str, Any]:
    return helm_values(settings(base, **changes), ADDRESSES, SOURCE, JOBS)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    match value:
        case dict():
            for key, item in cast("dict[str, object]", value).items():
                yield from _leaves(item, f"{path}.{key}")
        case list():
            for index, item in enumerate(cast("list[object]", value)):
                yield from _leaves(item, f"{path}[{index}]")
        case _:
            yield path, value


def _scripts(values: dict[str, Any]) -> dict[str, Any]:
    """Every document that Jenkins reads, parsed, by its name."""
    scripts = values["controller"]["JCasC"]
    others = {key: scripts[key] for key in ("securityRealm", "authorizationStrategy")}
    return {name: yaml.safe_load(text) for name, text in {**scripts["configScripts"], **others}.items()}


def _agents(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every pod template by its name, with the values that it inherits in the chart's merge."""
    clouds = [cloud["agent"] for cloud in values["additionalClouds"].values()]
    agents = [values["agent"], *values["additionalAgents"].values(), *clouds]
    return {agent["podName"]: {**values["agent"], **agent} for agent in agents}


@BOTH
def test_golden(base: dict[str, Any], golden: Golden, request: pytest.FixtureRequest) -> None:
    golden(f"jenkins/values-{request.node.callspec.id}.yaml", _values(base))


@BOTH
def test_every_script_is_yaml_and_none_is_a_template(base: dict[str, Any]) -> None:
    values = _values(base)
    for name, script in _scripts(values).items():
        assert isinstance(script, dict), name
    for path, leaf in _leaves(values):
        assert "{{" not in str(leaf), f"{path} would be read as a template of the chart"


@BOTH
def test_scripts_read_nothing_but_mounted_files(base: dict[str, Any]) -> None:
    values = _values(base)
    tokens = {f"{secret['name']}-{secret['keyName']}" for secret in values["controller"]["additionalExistingSecrets"]}
    provider = yaml.safe_load(values["extraObjects"]["secrets"]["spec"]["parameters"]["secrets"])
    mounted = {f"readFile:{secrets.FOLDER}/{entry['path']}" for entry in provider}
    assert {mount["mountPath"] for mount in values["persistence"]["mounts"]} == {secrets.FOLDER}
    read = {name for _, leaf in _leaves(values) for name in re.findall(r"\$\{([^${}]*)\}", str(leaf))}
    assert read == mounted | tokens


@BOTH
def test_the_pod_mounts_all_secrets_that_are_expected_and_no_other(base: dict[str, Any]) -> None:
    values, chosen = _values(base), settings(base)
    provider = values["extraObjects"]["secrets"]
    assert (provider["metadata"]["namespace"], provider["spec"]["provider"]) == ("jenkins", "gke")
    entries = yaml.safe_load(provider["spec"]["parameters"]["secrets"])
    assert entries == [
        {"resourceName": f"projects/acme-ci/secrets/{secret.name}/versions/latest", "path": secret.name}
        for secret in secrets.expected(chosen)
    ]
    volume, script = values["persistence"]["volumes"]
    assert script == {"name": "jenkins-reload", "configMap": {"name": "jenkins-reload"}}
    assert volume["csi"] == {
        "driver": "secrets-store-gke.csi.k8s.io",
        "readOnly": True,
        "volumeAttributes": {"secretProviderClass": provider["metadata"]["name"]},
    }
    assert values["persistence"]["mounts"][0]["name"] == volume["name"]
    assert values["controller"]["containerEnv"][0] == {"name": "CASC_STRICT_SECRET_RESOLUTION", "value": "true"}


def test_only_parts_in_use_need_a_secret() -> None:
    least = {secret.name for secret in secrets.expected(settings())}
    most = {secret.name for secret in secrets.expected(settings(MOST))}
    assert most - least == {
        "jenkins-github-reports-id",
        "jenkins-github-reports-key",
        "jenkins-github-webhook",
        "jenkins-slack-token",
        "jenkins-slack-webhook",
    }
    assert {secret.name for secret in secrets.expected(settings(MOST)) if secret.value == "generated"} == {
        "jenkins-admin-password"
    }


@BOTH
def test_no_value_is_a_secret(base: dict[str, Any]) -> None:
    secretive = re.compile(r"(password|secret|token|privatekey)$", re.IGNORECASE)
    for path, leaf in _leaves({**_values(base), "scripts": _scripts(_values(base))}):
        if secretive.search(path) and isinstance(leaf, str):
            assert re.fullmatch(r"\$\{trim:\$\{readFile:/run/[a-z/-]+\}\}|\$\{[a-z-]+-token\}", leaf), (
                f"{path} = {leaf}"
            )


def test_no_script_sets_what_the_chart_writes() -> None:
    scripts = _scripts(_values())
    assert set(scripts["environment"]["jenkins"]) == {"quietPeriod", "globalNodeProperties"}
    tops = {
        name: set(script) for name, script in scripts.items() if name in ("library", "slack", "credentials", "jobs")
    }
    assert tops == {
        "library": {"unclassified"},
        "slack": {"unclassified"},
        "credentials": {"credentials"},
        "jobs": {"jobs"},
    }
    assert set(scripts["library"]["unclassified"]) == {"globalLibraries"}
    assert set(scripts["slack"]["unclassified"]) == {"slackNotifier"}


def test_every_plugin_is_pinned_once_and_dependencies_stay() -> None:
    controller = _values()["controller"]
    plugins = [*controller["installPlugins"], *controller["additionalPlugins"]]
    ids = [plugin.partition(":")[0] for plugin in plugins]
    assert all(re.fullmatch(r"[A-Za-z-]+:[0-9][0-9A-Za-z._-]*", plugin) for plugin in plugins)
    assert len(ids) == len(set(ids)) == 19
    assert controller["installLatestPlugins"] is False


def test_the_chart_makes_no_admin_and_no_secret() -> None:
    assert _values()["controller"]["admin"] == {"createSecret": False}


def test_the_controller_builds_nothing_and_is_restricted() -> None:
    values = _values()
    controller = values["controller"]
    assert (controller["numExecutors"], controller["executorMode"]) == (0, "EXCLUSIVE")
    reloader = controller["sidecars"]["configAutoReload"]
    for context in (controller["containerSecurityContext"], reloader["containerSecurityContext"]):
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
    assert controller["podSecurityContextOverride"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert values["networkPolicy"] == {"enabled": False}
    assert values["persistence"]["existingClaim"] == names.HOME_CLAIM


def test_each_build_has_a_new_pod_and_time_for_a_new_node() -> None:
    for name, agent in _agents(_values()).items():
        assert (agent["idleMinutes"], agent["podRetention"]) == (0, "Never"), name
        assert (agent["connectTimeout"], agent["waitForPodSec"]) == (900, 900), name
        assert agent["websocket"] is True, name


def test_every_pod_of_the_builders_inherits_base() -> None:
    agents = _agents(_values())
    assert agents["base"]["defaultsProviderTemplate"] == "base"
    assert agents["base"]["yamlMergeStrategy"] == "merge"
    assert {name for name, agent in agents.items() if agent.get("nodeUsageMode") != "EXCLUSIVE"} == {"base"}


def test_tests_run_apart_from_builds() -> None:
    agents = _agents(_values(stores=["redis"]))
    where = {name: (agent["namespace"], agent["serviceAccount"]) for name, agent in agents.items()}
    assert where["build"] == where["base"] == ("jenkins-agents", "jenkins-agent")
    assert where["test"] == where["store-redis"] == ("jenkins-tests", "jenkins-test")
    assert "store-postgres" not in where


def test_a_deploy_cloud_has_its_own_credential_that_no_pipeline_can_name() -> None:
    values = _values()
    credentials = _scripts(values)["credentials"]["credentials"]["system"]["domainCredentials"][0]["credentials"]
    by_id = {credential["id"]: credential for entry in credentials for credential in entry.values()}
    clouds = values["additionalClouds"]
    assert list(clouds) == CLOUDS
    for name, cloud in clouds.items():
        assert cloud["agent"]["usageRestricted"] is True
        assert cloud["agent"]["namespace"] == f"jenkins-{name}"
        assert cloud["additionalAgentsOverride"] is True
        assert by_id[cloud["credentialsId"]]["scope"] == "SYSTEM"
        assert by_id[cloud["credentialsId"]]["secret"] == f"${{jenkins-{name}-scheduler-token}}"


def test_a_pipeline_reads_its_own_repository_and_the_library_and_writes_nothing_on_github() -> None:
    values = _values()
    credentials = _scripts(values)["credentials"]["credentials"]["system"]["domainCredentials"][0]["credentials"]
    apps = {entry["gitHubApp"]["id"]: entry["gitHubApp"] for entry in credentials if "gitHubApp" in entry}
    assert {app["defaultPermissionsStrategy"] for app in apps.values()} == {"CONTENTS_READ"}
    assert {name: app["repositoryAccessStrategy"] for name, app in apps.items()} == {
        "github-app": "inferRepository",
        "github-library": {"specificRepositories": {"owner": "acme", "repositories": ["platform"]}},
    }


def test_no_pipeline_can_name_the_secret_that_signs_calls_of_github() -> None:
    """With it, a call could claim a push to any repository."""
    values = _values()
    credentials = _scripts(values)["credentials"]["credentials"]["system"]["domainCredentials"][0]["credentials"]
    scopes = {credential["id"]: credential["scope"] for entry in credentials for credential in entry.values()}
    hooks = _scripts(values)["webhook"]["unclassified"]["githubpluginconfig"]["hookSecretConfigs"]
    assert [scopes[hook["credentialsId"]] for hook in hooks] == ["SYSTEM"]


def test_plugins_are_those_of_the_values_after_an_upgrade_and_a_rollback() -> None:
    assert _values(LEAST)["controller"]["overwritePlugins"] is True


def test_a_deploy_cloud_states_every_value() -> None:
    """The chart's merge treats an empty value, or false, as missing."""
    for cloud in _values()["additionalClouds"].values():
        empty = [path for path, leaf in _leaves(cloud) if leaf in (None, "", False, 0)]
        assert empty == []


def test_calls_of_github_are_verified_where_they_come_from_outside() -> None:
    github = _scripts(_values())["webhook"]["unclassified"]["githubpluginconfig"]
    assert github == {"hookSecretConfigs": [{"credentialsId": "github-webhook"}]}
    assert "webhook" not in _scripts(_values(LEAST))


def test_builds_have_the_rights_of_who_starts_them() -> None:
    security = _values()["controller"]["JCasC"]["security"]
    strategies = [entry["global"]["strategy"] for entry in security["queueItemAuthenticator"]["authenticators"]]
    assert strategies == ["triggeringUsersAuthorizationStrategy"]


def test_credentials_are_read_from_files_and_the_controller_reads_no_kubernetes_secret() -> None:
    assert _values()["rbac"] == {"create": True, "readSecrets": False}
    (domain,) = _scripts(_values())["credentials"]["credentials"]["system"]["domainCredentials"]
    credentials = {item["id"]: (kind, item) for entry in domain["credentials"] for kind, item in entry.items()}
    apps = {key: item for key, (kind, item) in credentials.items() if kind == "gitHubApp"}
    assert apps.keys() == {"github-app", "github-library"}
    for app in apps.values():
        assert app["privateKey"] == "${trim:${readFile:/run/secret-manager/jenkins-github-app-key}}"
    for name in ("slack-token", "github-webhook", "slack-webhook"):
        kind, text = credentials[name]
        assert (kind, text["scope"]) == ("string", "SYSTEM" if name == "github-webhook" else "GLOBAL")
        assert text["secret"] == f"${{trim:${{readFile:/run/secret-manager/jenkins-{name}}}}}"


def test_nobody_is_anonymous_and_only_admins_administer() -> None:
    entries = _scripts(_values())["authorizationStrategy"]["globalMatrix"]["entries"]
    rights = {next(iter(entry.values()))["name"]: next(iter(entry.values()))["permissions"] for entry in entries}
    assert rights == {
        "platform@example.com": ["Overall/Administer"],
        names.BREAK_GLASS_GROUP: ["Overall/Administer"],
        "authenticated": list(jcasc.EVERYBODY),
    }
    assert not {right for right in jcasc.EVERYBODY if right.endswith(("Administer", "Configure", "Replay"))}


def test_login_checks_the_domain_and_works_without_the_provider_for_the_admin_account() -> None:
    realm = _scripts(_values())["securityRealm"]["oic"]
    assert (realm["tokenFieldToCheckKey"], realm["tokenFieldToCheckValue"]) == ("hd", "example.com")
    assert realm["properties"][0]["escapeHatch"]["group"] == names.BREAK_GLASS_GROUP
    other = {"discovery": "https://login.example.com/openid"}
    assert "tokenFieldToCheckKey" not in _scripts(_values(login=other))["securityRealm"]["oic"]


def test_the_library_is_the_tag_the_stack_names_and_no_other() -> None:
    def library(**chosen: object) -> dict[str, Any]:
        return _scripts(_values(library=chosen))["library"]["unclassified"]["globalLibraries"]["libraries"][0]

    assert (library()["defaultVersion"], library()["allowVersionOverride"]) == ("v1", False)
    assert library(version="v2", version_override=True)["allowVersionOverride"] is True


def test_pipelines_know_the_addresses_and_the_slack_channel() -> None:
    properties = _scripts(_values())["environment"]["jenkins"]["globalNodeProperties"]
    variables = {pair["key"]: pair["value"] for pair in properties[0]["envVars"]["env"]}
    assert variables["CANDIDATES"] == "europe-docker.pkg.dev/acme-ci/candidates"
    assert variables["SLACK_CHANNEL"] == "#builds"
    least = _scripts(_values(LEAST))["environment"]["jenkins"]["globalNodeProperties"]
    assert "SLACK_CHANNEL" not in {pair["key"] for pair in least[0]["envVars"]["env"]}


def test_routes_for_people_and_webhooks_exist_only_with_a_gateway() -> None:
    most, least = _values(), _values(LEAST)
    route = most["controller"]["httpRoute"]
    assert route["hostnames"] == ["jenkins.ci.example.com"]
    assert route["extraRules"][0]["matches"] == [{"path": {"type": "Exact", "value": "/github-webhook/"}}]
    guarded = [item for item in most["extraObjects"].values() if item["kind"] == "GCPBackendPolicy"]
    assert [policy["spec"]["targetRef"]["name"] for policy in guarded] == ["jenkins"]
    assert guarded[0]["spec"]["default"]["iap"] == {"enabled": True}
    assert "httpRoute" not in least["controller"]
    kinds = [item["kind"] for item in least["extraObjects"].values()]
    assert kinds == ["SecretProviderClass", "Secret", "ConfigMap", "PodMonitoring"]


def test_slack_is_optional() -> None:
    assert _scripts(_values())["slack"]["unclassified"]["slackNotifier"]["tokenCredentialId"] == "slack-token"
    assert "slack" not in _scripts(_values(LEAST))


@pytest.mark.parametrize(
    ("chosen", "parts"),
    [
        ("moby/buildkit:v1", ("mirror/hub", "moby/buildkit", "v1")),
        ("redis:8.2.1", ("mirror/hub", "library/redis", "8.2.1")),
        ("docker.io/moby/buildkit:v1", ("mirror/hub", "moby/buildkit", "v1")),
        ("docker.io/redis:8", ("mirror/hub", "library/redis", "8")),
        ("gcr.io/go-containerregistry/crane/debug:v1", ("gcr.io", "go-containerregistry/crane/debug", "v1")),
        ("registry.example.com:5000/a/b:v1@sha256:0", ("registry.example.com:5000", "a/b", "v1@sha256:0")),
    ],
)
def test_images_of_docker_hub_come_through_the_mirror(chosen: str, parts: tuple[str, str, str]) -> None:
    image = Images("mirror/hub", {"buildkit": chosen}).parts("buildkit")
    assert (image.registry, image.repository, image.tag) == parts


def test_every_image_has_a_fixed_tag() -> None:
    for role, image in versions.IMAGES.items():
        assert settings(images={role: image}).images == {role: image}
