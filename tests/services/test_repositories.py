"""`atwork service check` on repositories as they are found in public, and its readers against BuildKit and make."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.programs import need
from typer.testing import CliRunner

from atwork.cli import app
from atwork.errors import UsageError
from atwork.services.check import check
from atwork.services.checks.dockerfile import DockerfileError, read_stages
from atwork.services.checks.makefile import read_makefile
from infra.catalog import read_all

HERE = Path(__file__).parent
CATALOG = read_all(HERE.parents[1] / "services")
ORDERS = CATALOG["orders"]
REPOSITORIES: list[dict[str, Any]] = yaml.safe_load((HERE / "repositories.yaml").read_text())
COMPLETE = {
    "Jenkinsfile": f"@Library('platform') _\nservicePipeline(name: 'orders', stores: {[*ORDERS.stores]})\n",
    "Dockerfile": "FROM debian:13.1 AS runtime\nUSER 1000:1000\nFROM runtime AS test\n",
    "Makefile": "build:\n\tdocker build .\ntest:\n\tpytest --junitxml=$(REPORTS)/t.xml\n",
    "chart/Chart.yaml": "name: orders\nversion: 1.4.0\n",
    "chart/values.yaml": "image: {repository: x, digest: y}\nsecrets: SECRETS\n",
}


def written(folder: Path, files: dict[str, str | None]) -> Path:
    for name, text in {**COMPLETE, **files}.items():
        if text is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text.replace("SECRETS", f"[{', '.join(ORDERS.secrets)}]"))
    return folder


@pytest.mark.parametrize("repository", REPOSITORIES, ids=lambda item: item["name"])
def test_what_is_said_of_a_repository(repository: dict[str, Any], tmp_path: Path) -> None:
    written(tmp_path, repository.get("files", {}))
    assert [str(finding) for finding in check(tmp_path, CATALOG)] == repository.get("findings", [])


@pytest.mark.parametrize("content", [b"\xff\xfeF\x00", "FROM caf\xe9".encode("latin-1"), None, "loop"])
@pytest.mark.parametrize("name", COMPLETE)
def test_a_file_that_is_no_text_is_one_line(name: str, content: Any, tmp_path: Path) -> None:
    path = written(tmp_path, {}) / name
    path.unlink()
    if content is None:
        path.mkdir()
    elif content == "loop":
        path.symlink_to(path.name)
    else:
        path.write_bytes(content)
    about = [str(finding) for finding in check(tmp_path, CATALOG) if finding.file == name]
    assert len(about) == 1
    assert re.search(r"not UTF-8; save|not a file; replace|file not found|cannot be read", about[0])


@pytest.mark.parametrize(("name", "reason"), [("nosuch", "folder not found"), ("file", "is not a folder")])
def test_a_folder_that_does_not_exist_is_one_line(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as raised:
        check(tmp_path / name, CATALOG)
    assert str(raised.value) == f"{tmp_path / name}: {reason}; name the folder of a service's repository"


def test_a_note_is_no_failure(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["service", "check", str(written(tmp_path, {"Makefile": "include common/base.mk\n"}))]
    )
    assert (result.exit_code, result.output.count("not checked: ")) == (0, 2)


def test_reading_executes_nothing(tmp_path: Path) -> None:
    written(tmp_path, {"Makefile": f"X := $(shell touch {tmp_path}/ran)\nbuild test:\n\ttouch ran $(REPORTS)\n"})
    assert check(tmp_path, CATALOG) == []
    assert not (tmp_path / "ran").exists()


def test_an_include_outside_of_the_repository_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.mk").write_text("build test:\n\tx $(REPORTS)\n")
    (tmp_path / "repository").mkdir()
    folder = written(tmp_path / "repository", {"Makefile": "include ../secret.mk\n"})
    assert all(finding.note for finding in check(folder, CATALOG))
    assert len(check(folder, CATALOG)) == 2


MAKEFILES = [
    *(item["files"]["Makefile"] for item in REPOSITORIES if item.get("files", {}).get("Makefile")),
    "N := a \\\n  b\n$(N): c\n\techo\nc:\n",
    "define T\nx:\n\ty\nendef\nz: ; echo\nz2:: ;\n# q:\nexport A := b\nz: A := c\n",
    "ifdef NOSUCH\nelse\nbuild:\nendif\n.PHONY: test\nbuild test:\n",
]


@pytest.mark.parametrize("text", MAKEFILES)
def test_targets_are_those_of_make(text: str, tmp_path: Path) -> None:
    """make reads our own files here; `service check` never calls it."""
    need("make")
    written(tmp_path, {"Makefile": text, "make/go.mk": "build:\n\tx\n", "common/base.mk": "test:\n\tx\n"})
    done = subprocess.run(
        ["make", "-pRrnq", "-f", "Makefile", ":"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    makefile = read_makefile(tmp_path, "Makefile", "")
    refused = re.search(r"^Makefile:(\d+): \*\*\* missing separator", done.stderr, re.MULTILINE)
    assert makefile.spaces == (int(refused[1]) if refused else 0)
    if refused:
        return
    rules = done.stdout.partition("# Files\n")[2].split("\n\n")
    lines = [line for rule in rules if not rule.startswith("# Not a target") for line in rule.splitlines()]
    targets = {match[1] for line in lines if (match := re.match(r"(\w[\w.-]*)::?(?!=)", line))}
    assert {name for name in makefile.targets if not name.startswith(".")} == targets - {"Makefile"} - {
        path.name for path in tmp_path.iterdir()
    }


DOCKERFILES = [
    *(item["files"]["Dockerfile"] for item in REPOSITORIES if item.get("files", {}).get("Dockerfile")),
    "# escape=`\nFROM a:1 `\n  AS b\nUSER 1 `\n# x\n\n\nFROM b\n",
    "# syntax=x\n# escape=`\nFROM a:1 AS B\nRUN x \\\nUSER 2\n",
    "ARG A=1\nARG B=x:${A}\nFROM --platform=$BUILDPLATFORM ${B:-y} AS c\nUSER 5\nUSER 6:7\nFROM C\n",
    'ARG A\nFROM a:1${A:+b}\nFROM "q:2"\nFROM a-${TARGETARCH}:1\n',
    'FROM a:1\nCOPY <<a <<-b /x/\nFROM no\na\n\tFROM no\n\tb\nUSER 9\nRUN ["<<EOF"]\nUSER 8\n',
    "\ufeffFROM a:1 AS x\n\n   USER 3\nRUN echo \\\n\n# c\n  USER 4\n",
    "FROM a b\n",
    "FROM a AS 1x\n",
    "FROM a:1\nRUN <<EOF\nno end\n",
    "",
    "# only\n",
]


@pytest.fixture(scope="module")
def buildkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BuildKit's own parser."""
    if shutil.which("go") is None:
        pytest.skip("needs Go")
    program = tmp_path_factory.mktemp("buildkit") / "stages"
    done = subprocess.run(
        ["go", "build", "-o", program, "."], cwd=HERE / "dockerfile", capture_output=True, text=True, check=False
    )
    if done.returncode and "dial" in done.stderr:
        pytest.skip("needs the Go module proxy")
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize("text", DOCKERFILES)
def test_stages_are_those_of_buildkit(text: str, buildkit: Path) -> None:
    done = subprocess.run([buildkit], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        with pytest.raises(DockerfileError):
            read_stages(text.removeprefix("\ufeff"))
        return
    stages = read_stages(text.removeprefix("\ufeff"))
    expected = json.loads(done.stdout)
    assert [(stage.name, stage.line) for stage in stages] == [(item["name"], item["line"]) for item in expected]
    for stage, item in zip(stages, expected, strict=True):
        assert stage.image == item["image"] or not stage.image
        assert (stage.user is None) == (not item["users"])
        assert stage.user is None or "$" in item["users"][-1] or stage.user[0] == item["users"][-1]
