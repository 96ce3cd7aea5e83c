"""The shared library, under the transformation that Jenkins itself applies to pipelines (Maven runs it)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from support.mocks import Recording

from components.jenkins.stores import STORES
from components.jenkins.values import helm_values

HERE = Path(__file__).parent
LIBRARY = HERE.parents[1] / "delivery"


@pytest.mark.skipif(shutil.which("mvn") is None, reason="needs Maven and Java 17 (Debian: apt-get install maven)")
@pytest.mark.xdist_group("engine")
def test_the_library_under_jenkins_own_transformation(tmp_path: Path, recordings: dict[str, Recording]) -> None:
    release = recordings["ci"].one("kubernetes:helm.sh/v3:Release", "jenkins-release").inputs
    scripts = yaml.safe_load(release["values"]["controller"]["JCasC"]["configScripts"]["jobs"])
    jobs = tmp_path / "jobs.groovy"
    jobs.write_text("\n".join(one["script"] for one in scripts["jobs"]))
    given = {"delivery": LIBRARY, "delivery.target": tmp_path / "target", "jobs": jobs}
    command = ["mvn", "--quiet", "--batch-mode", *(f"-D{key}={value}" for key, value in given.items()), "test"]
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, check=False, env={**os.environ, "MAVEN_OPTS": "-Xmx512m"}
    )
    ran: list[str] = []
    failed: list[str] = []
    for report in (tmp_path / "target" / "surefire-reports").glob("*.xml"):
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 (our own report)
            ran.append(case.attrib["name"])
            problem = next((one for one in case if one.tag in ("failure", "error")), None)
            if problem is not None:
                failed.append(f"{case.attrib['name']}: {problem.text or ''}"[:1500])
    assert failed == []
    assert done.returncode == 0, done.stdout[-3000:]
    written = [line for path in HERE.glob("src/**/*Test.groovy") for line in path.read_text().splitlines()]
    assert len(ran) == sum(line.strip() == "@Test" for line in written) > 20


def test_the_library_and_the_platform_have_the_same_stores() -> None:
    text = (LIBRARY / "vars" / "stores.groovy").read_text()
    listed = re.search(r"return \[(.*)\]", text)
    assert listed is not None
    assert [one.strip(" '") for one in listed[1].split(",")] == list(STORES)
    assert set(re.findall(r"^        (\w+): 'name: ", text, re.MULTILINE)) == set(STORES)


def test_the_library_asks_for_templates_and_variables_that_the_platform_defines() -> None:
    """Names on both sides of the border between Groovy and Python."""
    from support.jenkins import ADDRESSES, settings

    values = helm_values(settings(slack={"team": "acme", "channel": "#builds"}), ADDRESSES)
    templates = {one["podName"] for one in values["additionalAgents"].values()}
    assert {"build", "test", *(f"store-{store}" for store in STORES)} <= templates
    environment = values["controller"]["JCasC"]["configScripts"]["environment"]
    sources = "".join(path.read_text() for path in (LIBRARY / "vars").glob("*.groovy"))
    jenkins_own = {"BRANCH_NAME", "BUILD_NUMBER", "BUILD_URL", "WORKSPACE"}
    used = set(re.findall(r"env\.([A-Z_]+)", sources)) | {"REGISTRY_HOST"}
    assert {name for name in used - jenkins_own if f"key: {name}\n" not in environment} == set()
