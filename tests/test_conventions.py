"""The rules of the code base that a reader would otherwise have to remember."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.layout import stack_files

ROOT = Path(__file__).parent.parent
COMPONENTS = sorted(path for path in (ROOT / "components").rglob("*.py"))
TOKEN = re.compile(r"^atwork:([a-z_]+):([A-Z][A-Za-z]+)$")
AMBIENT = {"Config", "get_stack", "get_project", "StackReference", "open", "read_text", "getenv", "environ"}


def names(tree: ast.AST) -> set[str]:
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def classes(path: Path) -> list[ast.ClassDef]:
    tree = ast.parse(path.read_text())
    return [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base) == "pulumi.ComponentResource" for base in node.bases)
    ]


CLASSES = [(path, node) for path in COMPONENTS for node in classes(path)]


def test_the_components_are_found() -> None:
    assert len(CLASSES) >= 8


AMBIENT_READ = {
    "components/descriptions.py": {"environ"},  # whether to read docstrings: nothing that a resource shows
    "components/google/tables.py": {"read_text"},  # the files next to it
}


@pytest.mark.parametrize(("path", "component"), CLASSES, ids=[node.name for _, node in CLASSES])
def test_a_component_is_named_for_its_file_and_registers_its_outputs_last(path: Path, component: ast.ClassDef) -> None:
    start = next(node for node in component.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    super_call = start.body[0]
    assert isinstance(super_call, ast.Expr)
    assert isinstance(super_call.value, ast.Call)
    token, _, properties, options = super_call.value.args
    assert isinstance(token, ast.Constant)
    match = TOKEN.match(str(token.value))
    assert match is not None, token.value
    file = path.parent.name if path.name == "__init__.py" else path.stem
    assert match.groups() == (file, component.name)
    assert ast.unparse(properties) == "{}", "settings and secrets are no inputs of a component"
    assert ast.unparse(options) == "opts"
    last = start.body[-1]
    assert ast.unparse(last).startswith("self.register_outputs(")
    registered = ast.literal_eval(re.sub(r": self\.\w+", ": 0", ast.unparse(last).partition("(")[2][:-1]))
    public = {
        node.target.id
        for node in component.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert registered.keys() - public == registered.keys() & {"network_id", "subnetwork_id"}


@pytest.mark.parametrize("path", COMPONENTS, ids=[str(path.relative_to(ROOT)) for path in COMPONENTS])
def test_a_component_reads_nothing_but_its_arguments(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert names(tree) & AMBIENT == AMBIENT_READ.get(str(path.relative_to(ROOT)), set())
    assert ".merge(opts" not in path.read_text()


def test_no_default_provider_and_no_data_source() -> None:
    for path in stack_files(ROOT / "stacks").values():
        assert 'pulumi:disable-default-providers: ["*"]' in path.read_text(), path.name
        assert "secure:" not in path.read_text(), "secret values live in Secret Manager"
    for path in [*COMPONENTS, *(ROOT / "infra").glob("*.py")]:
        assert re.findall(r"\bgcp\.[a-z]+\.get_\w+", path.read_text()) == [], path


def test_the_program_is_a_table_of_contents() -> None:
    program = (ROOT / "infra" / "__main__.py").read_text()
    assert len(program.splitlines()) <= 60
    tree = ast.parse(program)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_every_test_is_collected() -> None:
    lost = [
        path
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"^def test_", path.read_text(), re.MULTILINE) and not path.name.startswith("test_")
    ]
    assert lost == []


SOURCES = sorted(path for folder in ("atwork", "tools", "infra", "policies") for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(
    ("pattern", "owner"),
    [
        (r"""(partition|split)\(['"]::['"]""", "atwork/engine/urn.py"),
        (r"""(/ f?|glob\(|prefix\()['"]Pulumi\.[{*"']""", "infra/layout.py"),
    ],
    ids=["urns", "stack files"],
)
def test_one_module_owns_it(pattern: str, owner: str) -> None:
    assert [path for path in SOURCES if path != ROOT / owner and re.search(pattern, path.read_text())] == []


ENVIRONMENT_NAMES = {"ci", "staging", "production", "prod"}
NAMED = {
    "components/monitoring/rule.py": {"production"},
    "infra/environment_settings.py": {"production"},
    "infra/promotion.py": {"production"},
}
"""A value of the setting `environment.tier`, and the stage of that name."""


def strings(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_no_environment_is_known_by_its_name() -> None:
    """What an environment is follows from its stack file: `upstream`, `environment.kind` and `environment.tier`."""
    names_in_code = {
        str(path.relative_to(ROOT)): used
        for folder in ("atwork", "infra", "components", "policies", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if (used := strings(ast.parse(path.read_text())) & ENVIRONMENT_NAMES)
    }
    assert names_in_code == NAMED
    pipelines = [ROOT / "Jenkinsfile", *(ROOT / "delivery" / "vars").glob("*.groovy")]
    for path in pipelines:
        used = set(re.findall(r"""['"](\w+)['"]""", path.read_text())) & ENVIRONMENT_NAMES
        assert used == set(), path
    workflows = [*(ROOT / ".github").rglob("*.yml"), ROOT / "Makefile"]
    assert [path for path in workflows if re.search(r"(?<![.\w])(ci|staging|prod)\b", path.read_text())] == []


PROCESSES = {
    "atwork/alerts/promtool.py": "promtool",
    "atwork/bench/commands.py": "the command itself, and plain `pulumi` for comparison",
    "atwork/bench/pipelines.py": "git",
    "atwork/bench/program.py": "Python, to measure imports",
    "atwork/containers/buildkit.py": "BuildKit",
    "atwork/containers/container.py": "runc",
    "atwork/containers/images.py": "crane and tar",
    "atwork/containers/init.py": "mount, in the namespaces of containers",
    "atwork/containers/namespaces.py": "unshare",
    "atwork/containers/official_images.py": "crane",
    "atwork/containers/runtime.py": "runc, from the program that BuildKit starts",
    "atwork/containers/stand_ins.py": "mmdebstrap",
    "atwork/doctor/machine.py": "the versions of tools",
    "atwork/engine/child_processes.py": "the program of a project",
    "atwork/engine/forked.py": "Python, whose forks run programs and policy packs",
    "atwork/engine/interpreter.py": "Python of a project, to list its packages",
    "atwork/engine/locate.py": "the version of the engine",
    "atwork/engine/runner.py": "the engine",
    "atwork/github/context.py": "git",
    "atwork/github/pull_request.py": "git",
    "atwork/pipeline/jvm.py": "Maven and Java, to get the player of pipelines",
    "atwork/pipeline/opening.py": "crane",
    "atwork/pipeline/player.py": "the player of pipelines",
    "atwork/pipeline/pod.py": "commands of a pipeline",
    "atwork/pipeline/repository.py": "git",
    "atwork/pipeline/session.py": "git",
    "atwork/pipeline/workloads.py": "crane",
    "atwork/sandbox/clusters/node/agent.py": "containerd, its client and the kubelet, in the namespaces of a node",
    "atwork/sandbox/clusters/node/machine.py": "mount, to try what the kernel permits",
    "atwork/sandbox/clusters/node/on_demand.py": "what answers for databases of nodes",
    "atwork/sandbox/endpoints.py": "google-endpoints",
    "atwork/sandbox/provider/kubernetes/helm.py": "helm",
    "atwork/sandbox/verify/charts.py": "helm",
    "atwork/toolchain/gobuild.py": "go",
    "atwork/toolchain/machine.py": "apt-get",
}
"""Modules that start processes, and which ones."""


def test_no_two_classes_have_the_same_name() -> None:
    """A reader of a class's name knows which one it is, without its module."""
    modules: dict[str, list[str]] = {}
    for folder in ("atwork", "infra", "components", "policies", "tools"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    modules.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert len(modules) > 300
    assert {name: paths for name, paths in modules.items() if len(paths) > 1} == {}


def test_only_one_module_starts_the_engine() -> None:
    """A module that starts a process is named in the list above; the engine is started by atwork/engine alone."""
    pattern = re.compile(r"subprocess\.(run|Popen|call|check_\w+)\(|\bPopen\(|create_subprocess_\w+\(|os\.(exec|spawn)")
    sources = [path for path in (ROOT / "atwork").rglob("*.py") if pattern.search(path.read_text())]
    assert sorted(str(path.relative_to(ROOT)) for path in sources) == sorted(PROCESSES)


def test_every_error_of_a_command_is_one_that_is_printed() -> None:
    """An error that is no `UserError` would end a command with a traceback; inside the simulation some are caught."""
    package = ROOT / "atwork"
    commands = [path for path in package.rglob("*.py") if not path.is_relative_to(package / "sandbox")]
    assert len(commands) > 100
    assert [path for path in commands if re.search(r"class \w+\(Exception\)", path.read_text())] == []


def test_the_program_does_not_import_the_command_line() -> None:
    for folder in ("infra", "policies", "components"):
        for path in (ROOT / folder).rglob("*.py"):
            assert re.findall(r"^\s*(?:from|import) atwork\b", path.read_text(), re.MULTILINE) == [], path


def test_jenkins_is_an_optional_part_of_the_components() -> None:
    for path in COMPONENTS:
        if not path.is_relative_to(ROOT / "components" / "jenkins"):
            assert re.findall(r"^\s*(?:from|import) components\.jenkins\b", path.read_text(), re.MULTILINE) == [], path


def test_the_formatter_formats_every_line() -> None:
    exception = "fmt: " + "skip"
    sources = [
        path
        for folder in ("atwork", "components", "infra", "policies", "tests", "tools", "delivery")
        for path in (ROOT / folder).rglob("*.py*")
    ]
    assert [
        path for path in sources if path.suffix in {".py", ".pyi", ".jinja"} and exception in path.read_text()
    ] == []


def test_a_command_starts_without_what_it_may_not_need() -> None:
    """The SDKs take several times as long to import as the command line itself."""
    slow = ("pulumi", "pulumi_gcp", "pulumi_kubernetes", "grpc", "kubernetes", "github")
    code = f"import sys; import atwork.cli; print(*sorted({set(slow)!r} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert printed.stdout.split() == []


def test_every_pattern_of_a_setting_has_words() -> None:
    """`Field(pattern=...)` would answer a mistake with a regular expression; `components.forms.TextForm` has words."""
    plain_patterns = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("components", "infra")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"(\(|^ +)pattern=", line)
    ]
    assert plain_patterns == []
