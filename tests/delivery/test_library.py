"""The shared library under the transformation that Jenkins applies to pipelines; Maven runs the tests."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from support.checkout import ROOT
from support.mocks import Recording

from atwork.services.new import NewService, render
from atwork.toolchain import programs
from components.jenkins.registry import Signing
from components.jenkins.stores import STORES
from components.jenkins.values import helm_values
from infra.config import read_all

HERE = Path(__file__).parent
LIBRARY = HERE.parents[1] / "delivery"
JENKINSFILE = HERE.parents[1] / "Jenkinsfile"
CLOUDS_OF_THE_JENKINSFILE = set(re.findall(r"stacksPod\('([^']*)'\)", JENKINSFILE.read_text()))


@dataclass(frozen=True)
class Released:
    """A registry with one candidate that the library released, and the tests that did it."""

    registry: str
    digest: str
    ran: list[str]
    failed: list[str]
    output: str


@pytest.fixture(scope="module")
def programs_folder(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """crane and helm as the pipeline calls them; the registry on loopback has no certificate."""
    crane, _ = programs.registry(Console(stderr=True))
    folder = tmp_path_factory.mktemp("bin")
    (folder / "crane").symlink_to(crane)
    script = f'#!/bin/sh\ncase "$1" in push|show) exec {helm} "$@" --plain-http;; esac\nexec {helm} "$@"\n'
    (folder / "helm").write_text(script)
    (folder / "helm").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """A container registry on loopback."""
    _, program = programs.registry(Console(stderr=True))
    with subprocess.Popen([str(program), "--port", "0"], stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stderr is not None
            line = child.stderr.readline()
            assert "serving on port" in line
            yield f"localhost:{line.split()[-1]}"
        finally:
            child.terminate()


@pytest.fixture(scope="module")
def released(
    pipelines: None,
    registry: str,
    programs_folder: Path,
    recordings: dict[str, Recording],
    tmp_path_factory: pytest.TempPathFactory,
) -> Released:
    """Run all tests of pipelines under Maven, with this registry."""
    folder = tmp_path_factory.mktemp("delivery")
    (folder / "layer").write_text("an image")
    subprocess.run(["tar", "-cf", "layer.tar", "layer"], cwd=folder, check=True)
    crane = str(programs_folder / "crane")
    candidate = [crane, "append", "--new_layer", "layer.tar", "--new_tag", f"{registry}/p/candidates/orders:1"]
    subprocess.run(candidate, cwd=folder, check=True, capture_output=True)
    digest = subprocess.run(
        [crane, "digest", f"{registry}/p/candidates/orders:1"], capture_output=True, text=True, check=True
    )
    release = recordings["ci"].resource("kubernetes:helm.sh/v3:Release", "jenkins-release")
    scripts = release.inputs["values"]["controller"]["JCasC"]["configScripts"]
    (folder / "jobs.yaml").write_text(scripts["jobs"])
    service = NewService("orders", "https://github.com/acme/orders", "team", "#orders")
    render(service, read_all(ROOT / "stacks"), folder / "orders")
    (folder / "orders" / "config.json").write_text("{}")
    properties = {
        "delivery": LIBRARY,
        "delivery.target": folder / "target",
        "jobs": folder / "jobs.yaml",
        "registry": registry,
        "digest": digest.stdout.strip(),
        "repository": folder / "orders",
        "programs": programs_folder,
    }
    command = ["mvn", "--quiet", "--batch-mode", *(f"-D{key}={value}" for key, value in properties.items()), "test"]
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, check=False, env={**os.environ, "MAVEN_OPTS": "-Xmx512m"}
    )
    ran: list[str] = []
    failed: list[str] = []
    for report in (folder / "target" / "surefire-reports").glob("*.xml"):
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 (our own report)
            ran.append(case.attrib["name"])
            problem = next((child for child in case if child.tag in ("failure", "error")), None)
            if problem is not None:
                failed.append(f"{case.attrib['name']}: {problem.text or ''}"[:1500])
    output = "" if done.returncode == 0 else done.stdout[-3000:]
    return Released(registry, digest.stdout.strip(), ran, failed, output)


def test_the_library_under_jenkins_own_transformation(released: Released) -> None:
    assert released.failed == []
    assert released.output == ""
    written = [line for path in HERE.glob("src/**/*Test.groovy") for line in path.read_text().splitlines()]
    assert len(released.ran) == sum(line.strip() == "@Test" for line in written) > 75


def test_the_released_chart_runs_the_released_image(
    released: Released, programs_folder: Path, helm: Path, tmp_path: Path
) -> None:
    """What CommandsTest released with the library's own commands."""
    (tmp_path / "config.json").write_text("{}")
    environment = {
        "PATH": f"{programs_folder}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path),
    }
    version = "1.4.0-17.g1a2b3c4d"
    command = ["crane", "digest", f"{released.registry}/p/services/orders:{version}"]
    digest = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert digest.stdout.strip() == released.digest
    chart = f"oci://{released.registry}/p/charts/orders"
    command = [str(helm), "template", "orders", chart, "--version", version, "--plain-http"]
    manifests = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert f"{released.registry}/p/services/orders@{released.digest}" in manifests


def test_the_library_and_the_platform_have_the_same_stores() -> None:
    text = (LIBRARY / "vars" / "stores.groovy").read_text()
    listed = re.search(r"return \[(.*)\]", text)
    assert listed is not None
    assert [name.strip(" '") for name in listed[1].split(",")] == list(STORES)
    assert set(re.findall(r"^        (\w+): 'name: ", text, re.MULTILINE)) == set(STORES)


def test_tests_and_preview_namespaces_use_the_same_variables_for_stores() -> None:
    text = (LIBRARY / "vars" / "stores.groovy").read_text()
    for store in STORES.values():
        assert f'name: {store.variable}, value: "{store.address.format(host="127.0.0.1")}"' in text


def test_the_platform_defines_the_templates_and_variables_of_the_library() -> None:
    """Names that Groovy and Python share."""
    from support.jenkins import ADDRESSES, JOBS, MOST, SOURCE, settings

    values = helm_values(settings(MOST), ADDRESSES, SOURCE, JOBS, signing=Signing("key", "releases", "provenance"))
    templates = {template["podName"] for template in values["additionalAgents"].values()}
    assert {"build", "test", *(f"store-{store}" for store in STORES)} <= templates
    assert {"deploy-staging", "previews-staging", *CLOUDS_OF_THE_JENKINSFILE} <= set(values["additionalClouds"])
    environment = values["controller"]["JCasC"]["configScripts"]["environment"]
    sources = "".join(path.read_text() for path in [*(LIBRARY / "vars").glob("*.groovy"), JENKINSFILE])
    jenkins_own = {"BRANCH_NAME", "BUILD_NUMBER", "BUILD_URL", "CHANGE_ID", "CHANGE_TARGET", "JENKINS_URL", "JOB_NAME"}
    jenkins_own |= {"WORKSPACE"}
    used = set(re.findall(r"env\.([A-Z_]+)", sources)) | {"REGISTRY_HOST"}
    used -= set(re.findall(r"env\.([A-Z_]+) =", sources))  # what a build notes for the next one
    assert {name for name in used - jenkins_own if f"key: {name}\n" not in environment} == set()
