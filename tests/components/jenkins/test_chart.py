"""The official chart renders with our values. The chart is not in this repository: JENKINS_CHART_DIR is its folder."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.jenkins import ADDRESSES, JOBS, LEAST, MOST, SOURCE, settings

from atwork.sandbox.verify import pod_security
from components.jenkins import secrets, sizes
from components.jenkins.values import helm_values

CHART = os.environ.get("JENKINS_CHART_DIR", "")

pytestmark = pytest.mark.skipif(
    not CHART, reason="needs JENKINS_CHART_DIR (charts/jenkins of a checkout of jenkinsci/helm-charts)"
)


def _render(helm: Path, directory: Path, base: dict[str, Any]) -> dict[str, dict[str, Any]]:
    values = directory / "values.yaml"
    values.write_text(yaml.safe_dump(helm_values(settings(base), ADDRESSES, SOURCE, JOBS)))
    command = [str(helm), "template", "jenkins", CHART, "--namespace", "jenkins", "--values", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    manifests = [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]
    return {f"{manifest['kind']}/{manifest['metadata']['name']}": manifest for manifest in manifests}


@pytest.fixture(scope="module")
def rendered(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return _render(helm, tmp_path_factory.mktemp("most"), MOST)


def _configuration(rendered: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (text,) = rendered["ConfigMap/jenkins-jenkins-jcasc-config"]["data"].values()
    return yaml.safe_load(text)


def test_the_least_renders(helm: Path, tmp_path: Path) -> None:
    rendered = _render(helm, tmp_path, LEAST)
    assert "StatefulSet/jenkins" in rendered
    assert "HTTPRoute/jenkins" not in rendered


def test_every_script_parses(rendered: dict[str, dict[str, Any]]) -> None:
    scripts = {
        name: yaml.safe_load(text)
        for key, manifest in rendered.items()
        if key.startswith("ConfigMap/jenkins-jenkins-")
        for name, text in manifest["data"].items()
    }
    assert {"library.yaml", "jobs.yaml", "credentials.yaml", "environment.yaml", "slack.yaml", "webhook.yaml"} < set(
        scripts
    )
    assert all(isinstance(script, dict) for script in scripts.values())


def test_the_controllers_pod_is_restricted(rendered: dict[str, dict[str, Any]]) -> None:
    pod = rendered["StatefulSet/jenkins"]["spec"]["template"]["spec"]
    assert pod_security.restricted(pod) == []
    assert pod["priorityClassName"] == "jenkins-controller"
    images = {container["image"] for container in [*pod["initContainers"], *pod["containers"]]}
    assert all(image.startswith("europe-docker.pkg.dev/acme-ci/docker-hub/") for image in images)
    claims = [volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
    assert claims == [{"claimName": "jenkins-home"}]


def test_the_controller_mounts_its_secrets_by_the_add_on(rendered: dict[str, dict[str, Any]]) -> None:
    pod = rendered["StatefulSet/jenkins"]["spec"]["template"]["spec"]
    provider = rendered["SecretProviderClass/jenkins"]
    assert provider["metadata"]["namespace"] == "jenkins"
    (volume,) = (item for item in pod["volumes"] if "csi" in item)
    assert volume["csi"]["volumeAttributes"] == {"secretProviderClass": provider["metadata"]["name"]}
    (controller,) = (container for container in pod["containers"] if container["name"] == "jenkins")
    paths = {mount["name"]: mount["mountPath"] for mount in controller["volumeMounts"]}
    assert paths[volume["name"]] == secrets.FOLDER
    assert len(paths.values()) == len(set(paths.values()))
    environment = {variable["name"]: variable.get("value") for variable in controller["env"]}
    assert environment["CASC_STRICT_SECRET_RESOLUTION"] == "true"
    # The tokens of the schedulers, which Configuration as Code reads by name, without a path.
    assert environment["SECRETS"] == paths["jenkins-secrets"]
    (tokens,) = (item["projected"]["sources"] for item in pod["volumes"] if item["name"] == "jenkins-secrets")
    assert {source["secret"]["items"][0]["path"] for source in tokens} == {
        f"jenkins-{cloud}-scheduler-token" for cloud in settings(MOST).targets()
    }
    account = rendered["ServiceAccount/jenkins"]["metadata"]["name"]
    assert {(secret.namespace, secret.accounts) for secret in secrets.expected(settings(MOST))} == {
        ("jenkins", (account,))
    }
    assert pod["serviceAccountName"] == account


def test_the_reload_token_is_not_the_name_of_the_pod(rendered: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """Kubernetes replaces $(NAME) by a variable that is earlier in the list, and Java takes the last -D of a property."""
    pod = rendered["StatefulSet/jenkins"]["spec"]["template"]["spec"]
    containers = {container["name"]: container for container in [*pod["initContainers"], *pod["containers"]]}
    token = {"secretKeyRef": {"name": "jenkins-reload-token", "key": "token"}}
    for name in ("jenkins", "config-reload"):
        variables = [variable["name"] for variable in containers[name]["env"]]
        assert len(variables) == len(set(variables)), f"{name}: a second variable of a name is lost in an upgrade"
        assert {"name": "RELOAD_TOKEN", "valueFrom": token} in containers[name]["env"]
    controller = containers["jenkins"]["env"]
    names = [variable["name"] for variable in controller]
    assert names.index("RELOAD_TOKEN") < names.index("JAVA_OPTS")
    options = controller[names.index("JAVA_OPTS")]["value"]
    assert re.findall(r"-Dcasc\.reload\.token=(\S+)", options) == ["$(POD_NAME)", "$(RELOAD_TOKEN)"]
    (tmp_path / "Show.java").write_text(
        'class Show { public static void main(String[] a) { System.out.print(System.getProperty("casc.reload.token")); } }'
    )
    command = ["java", "-Dcasc.reload.token=jenkins-0", "-Dcasc.reload.token=secret", str(tmp_path / "Show.java")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "secret"
    reloader = containers["config-reload"]
    [script] = [variable["value"] for variable in reloader["env"] if variable["name"] == "SCRIPT"]
    [mount] = [mount for mount in reloader["volumeMounts"] if script.startswith(f"{mount['mountPath']}/")]
    assert {"name": mount["name"], "configMap": {"name": mount["name"]}} in pod["volumes"]
    assert script.rpartition("/")[2] in rendered[f"ConfigMap/{mount['name']}"]["data"]
    account = rendered["Secret/jenkins-reload-token"]["metadata"]["annotations"]["kubernetes.io/service-account.name"]
    assert account == "jenkins-reload"
    bound = [each for key, each in rendered.items() if "RoleBinding/" in key]
    assert account not in [subject["name"] for binding in bound for subject in binding["subjects"]]


def test_every_container_of_a_large_controller_is_valid(helm: Path, tmp_path: Path) -> None:
    rendered = _render(helm, tmp_path, {**LEAST, "controller": {"cpu": "4", "memory": "16Gi"}})
    pod = rendered["StatefulSet/jenkins"]["spec"]["template"]["spec"]
    containers = [*pod["initContainers"], *pod["containers"]]
    sized = {container["name"]: container["resources"] for container in containers}
    assert sized["jenkins"]["requests"]["cpu"] == "4"
    for name, resources in sized.items():
        limits = resources["limits"]
        assert sizes.mebibytes(resources["requests"]["memory"]) <= sizes.mebibytes(limits["memory"]), name
        assert sizes.millis(resources["requests"]["cpu"]) <= sizes.millis(limits.get("cpu", "999")), name


@pytest.mark.parametrize("base", [LEAST, MOST], ids=["least", "most"])
def test_jenkins_resolves_every_variable_of_its_configuration(helm: Path, tmp_path: Path, base: dict[str, Any]) -> None:
    """With strict resolution, an unknown variable stops the start. The chart's own scripts are checked, too."""
    rendered = _render(helm, tmp_path, base)
    text = "\n".join(
        script
        for key, manifest in rendered.items()
        if key.startswith("ConfigMap/jenkins-jenkins-")
        for script in manifest["data"].values()
    )
    references = re.findall(r"(?<!\^)\$\{([^${}]*)\}", text)
    names = {reference.removeprefix("readFile:") for reference in references}
    known = {f"{secrets.FOLDER}/{secret.name}" for secret in secrets.expected(settings(base))}
    assert names == known | {f"jenkins-{cloud}-scheduler-token" for cloud in settings(base).targets()}


def test_clouds_and_templates(rendered: dict[str, dict[str, Any]]) -> None:
    clouds = {
        manifest["kubernetes"]["name"]: manifest["kubernetes"]
        for manifest in _configuration(rendered)["jenkins"]["clouds"]
    }
    templates = {name: [template["name"] for template in cloud["templates"]] for name, cloud in clouds.items()}
    assert templates == {
        "kubernetes": ["base", "build", "store-mysql", "store-postgres", "store-redis", "test"],
        "deploy-staging": ["deploy-staging"],
        "deploy-production": ["deploy-production"],
        "previews-staging": ["previews-staging"],
        "promote": ["promote"],
        "platform-preview": ["platform-preview"],
        "platform-drift": ["platform-drift"],
        "platform-change-staging": ["platform-change-staging"],
        "platform-change-ephemeral": ["platform-change-ephemeral"],
    }
    production = clouds["deploy-production"]
    assert (production["credentialsId"], production["usageRestricted"]) == ("deploy-production", True)
    assert production["defaultsProviderTemplate"] == "deploy-production"
    assert not any(cloud["serverUrl"] for cloud in clouds.values())
    for cloud in clouds.values():
        for template in cloud["templates"]:
            assert (template["idleMinutes"], template["podRetention"]) == (0, "Never")
            assert isinstance(yaml.safe_load(template["yaml"])["spec"], dict)


def test_the_charts_own_security_settings_stay(rendered: dict[str, dict[str, Any]]) -> None:
    security = _configuration(rendered)["security"]
    assert security["apiToken"]["creationOfLegacyTokenEnabled"] is False
    assert security["globalJobDslSecurityConfiguration"] == {"useScriptSecurity": True}


def test_the_chart_creates_no_volume_account_or_policy_that_the_program_declares(
    rendered: dict[str, dict[str, Any]],
) -> None:
    kinds = [manifest["kind"] for manifest in rendered.values()]
    assert "PersistentVolumeClaim" not in kinds
    assert "NetworkPolicy" not in kinds
    assert [key for key in rendered if key.startswith("ServiceAccount/")] == ["ServiceAccount/jenkins"]
    # The cluster fills them with tokens.
    filled = [manifest for manifest in rendered.values() if manifest["kind"] == "Secret"]
    assert len(filled) == len(settings(MOST).targets()) + 1  # and the token that reloads
    for secret in filled:
        assert secret["type"] == "kubernetes.io/service-account-token"
        assert not {"data", "stringData"} & secret.keys()
