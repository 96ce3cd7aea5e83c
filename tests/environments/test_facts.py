"""Each fact is stated once: `environment check` refuses every file that disagrees, with file, key and fix."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.checkout import ROOT
from support.environments import atwork, without_lines

from atwork.engine.build import PULUMI

ENGINE = PULUMI.version().removeprefix("v")
STATE = "gs://acme-at-work-admin-state"
WORKFLOWS = ".github/workflows"


@pytest.fixture
def project(checkout: Path) -> Path:
    """A checkout with all the files that repeat a fact."""
    for part in (".github", "tools/engine"):
        shutil.copytree(ROOT / part, checkout / part)
    shutil.copy(ROOT / "Jenkinsfile", checkout)
    return checkout


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(checkout: Path) -> None:
        text = (checkout / name).read_text()
        assert old in text
        (checkout / name).write_text(text.replace(old, new, 1))

    return edit


def test_the_project_agrees_with_itself(project: Path) -> None:
    done = atwork("check")
    assert (done.exit_code, done.output) == (0, "3 environments and 1 services: no mistakes.\n")


def test_only_what_needs_the_company_asks_for_it(project: Path) -> None:
    (project / "stacks" / "platform.yaml").unlink()
    assert (
        "stacks/platform.yaml: file not found, and jenkins of stacks/Pulumi.ci.yaml needs its repository and its "
        "state bucket; write it (docs/bootstrap.md)\n"
    ) in atwork("check").output
    for name in ("staging", "production", "ci"):
        (project / "stacks" / f"Pulumi.{name}.yaml").unlink()
    shutil.rmtree(project / "services")
    assert atwork("check").output == "0 environments and 0 services: no mistakes.\n"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            edited("services/orders.yaml", "github.com/acme/", "github.com/other/"),
            "services/orders.yaml: repository: other/orders is not in acme, whose repositories Jenkins builds (stacks/platform.yaml: github.repository); move it there",
        ),
        (
            edited("stacks/platform.yaml", "location:", "lokation:"),
            "stacks/platform.yaml: lokation: unknown key; did you mean location?",
        ),
        (
            edited("stacks/platform.yaml", "acme-at-work-admin ", "acme-at-work-staging "),
            "stacks/platform.yaml: admin_project: acme-at-work-staging is the project of staging",
        ),
        (
            edited("stacks/platform.yaml", "acme/at-work", "other/at-work"),
            ".github/CODEOWNERS:4: @acme/platform: stacks/platform.yaml states a repository of other, and GitHub ignores teams of other organizations; name a team of other",
        ),
        (
            edited(
                ".github/CODEOWNERS",
                "*  @acme/platform",
                "*  ada@example.com @acme/platform @other/team",
            ),
            ".github/CODEOWNERS:4: @other/team: ",
        ),
        (
            edited("Pulumi.yaml", "name: atwork", "name: platform"),
            "Pulumi.yaml: name: platform is not atwork, which is part of the names of the state's objects; write atwork",
        ),
        (
            edited(
                "stacks/Pulumi.ci.yaml",
                "      max_agents:",
                "      library: {repository: 'https://github.com/acme/other'}\n      max_agents:",
            ),
            "stacks/Pulumi.ci.yaml: atwork:stack.jenkins.library.repository: stacks/platform.yaml states it (github.repository); remove it here",
        ),
        (
            edited("stacks/Pulumi.ci.yaml", "        bot:", "        backend: gs://acme-old\n        bot:"),
            "stacks/Pulumi.ci.yaml: atwork:stack.jenkins.platform.backend: stacks/platform.yaml states it (admin_project or state_bucket); remove it here",
        ),
        (
            edited(f"{WORKFLOWS}/drift.yml", "${{ vars.PULUMI_BACKEND_URL }}", "gs://acme-old"),
            f".github/workflows/drift.yml: jobs.stack.steps.5.env.PULUMI_BACKEND_URL: gs://acme-old is not the state bucket of stacks/platform.yaml; write {STATE}",
        ),
        (
            edited("Jenkinsfile", "${env.PLATFORM_BACKEND}", "gs://acme-old"),
            f"Jenkinsfile: PULUMI_BACKEND_URL: gs://acme-old is not the state bucket of stacks/platform.yaml; write {STATE}",
        ),
        (
            edited(f"{WORKFLOWS}/reap.yml", f"pulumi-version: {ENGINE}", "pulumi-version: 3.1.0"),
            f"with.pulumi-version: 3.1.0 is not the engine of tools/engine/go.mod; write {ENGINE}",
        ),
        (
            edited(f"{WORKFLOWS}/preview.yml", f"pulumi-version: {ENGINE}", "comment-on-pr: false"),
            f".github/workflows/preview.yml: jobs.stack.steps.2.with.pulumi-version: missing is not the engine of tools/engine/go.mod; write {ENGINE}",
        ),
        (
            edited(
                "stacks/Pulumi.ci.yaml",
                "      max_agents:",
                "      images: {pulumi: 'mirror.example.com:5000/pulumi/pulumi:3.1.0-nonroot'}\n      max_agents:",
            ),
            f"stacks/Pulumi.ci.yaml: atwork:stack.jenkins.images.pulumi: 3.1.0 is not the engine of tools/engine/go.mod; write {ENGINE}",
        ),
    ],
)
def test_what_disagrees_is_one_line_with_its_fix(change: Callable[[Path], None], line: str, project: Path) -> None:
    change(project)
    done = atwork("check")
    assert done.exit_code == 1
    assert line in without_lines(done.output)


def test_an_engine_that_is_raised_names_every_other_place(project: Path) -> None:
    edited("tools/engine/go.mod", f"{PULUMI.module} v{ENGINE}", f"{PULUMI.module} v3.999.0")(project)
    lines = [line for line in atwork("check").output.splitlines() if line.endswith("write 3.999.0")]
    assert [line.partition(":")[0] for line in lines] == [
        *(f"{WORKFLOWS}/{name}.yml" for name in ("deploy-stack", "drift", "preview", "reap")),
        "components/versions.py",
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [("gs://acme-old", 1), (STATE, 0), (f"{STATE}/", 0), ("file:///tmp/state", 0), ("", 0)],
)
def test_another_bucket_in_the_shell_is_reported(
    value: str, code: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", value)
    done = atwork("check")
    assert done.exit_code == code
    line = f"environment: PULUMI_BACKEND_URL: {value} is not the state bucket of stacks/platform.yaml; write {STATE}"
    assert (line in done.output) is bool(code)


def test_a_mirror_with_a_digest_is_read_by_its_tag(project: Path) -> None:
    image = f"mirror.example.com:5000/pulumi/pulumi:{ENGINE}-nonroot@sha256:{'0' * 64}"
    edited("stacks/Pulumi.ci.yaml", "      max_agents:", f"      images: {{pulumi: '{image}'}}\n      max_agents:")(
        project
    )
    assert atwork("check").exit_code == 0


SOURCES = ("*.md", "*.py", "*.yml", "*.yaml", "*.groovy", "Jenkinsfile", "Makefile")
VERSION = re.compile(r"(?:(?<![\d.=])v?|Pulumi )(3\.\d{3}\.\d+|(?<=Pulumi )3\.\d{3})(?!\w)")
"""A version of the engine, such as v3.256.0 or Pulumi 3.256; the SDK's own are behind `==` in requirements."""


def test_text_and_code_name_the_engine_that_runs() -> None:
    """A statement on another version's behavior is checked again before the engine is raised.

    Decision records say what was true when the decision was made; tests of versions name others on purpose.
    """
    folders = (".github", "atwork", "components", "delivery", "docs", "infra", "policies", "tools")
    files = [ROOT / "README.md", ROOT / "Jenkinsfile", ROOT / "Makefile"]
    files += [path for folder in folders for pattern in SOURCES for path in (ROOT / folder).rglob(pattern)]
    named = {
        f"{path.relative_to(ROOT)}: {version}": version
        for path in files
        if path.is_file() and "adr" not in path.parts
        for version in VERSION.findall(path.read_text())
    }
    assert len(named) >= 8, "the pattern finds the places that are known"
    assert [where for where, version in named.items() if not f"{ENGINE}.".startswith(f"{version}.")] == []
