"""Real containers: BuildKit builds an image from a stand-in, a registry keeps it, runc runs it, nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from support.waiting import wait_for

from atwork.containers.buildkit import buildkit
from atwork.containers.container import Container
from atwork.containers.errors import ContainerError
from atwork.containers.images import ImageStore, image_store, layered
from atwork.containers.namespaces import Namespaces, namespaces
from atwork.containers.official_images import OfficialImage, OfficialImages, digest_of
from atwork.containers.stand_ins import stand_in
from atwork.sandbox.endpoints import Endpoints, TokenHolder, serve
from atwork.toolchain import programs

pytestmark = [pytest.mark.usefixtures("containers"), pytest.mark.engine]

HOST = "europe-docker.pkg.dev"
PERMISSIONS = [f"artifactregistry.repositories.{verb}Artifacts" for verb in ("download", "upload")]


@dataclass(frozen=True)
class Machine:
    """A registry with the images that stand in for Docker Hub's, and a login for everything."""

    environment: dict[str, str]
    crane: Path
    folder: Path
    images: ImageStore


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    console, folder = Console(stderr=True), tmp_path_factory.mktemp("containers")
    crane, _ = programs.registry(console)
    holder = TokenHolder("user:a@example.com", {f"p/{name}": PERMISSIONS for name in ("docker-hub", "candidates")})
    login = folder / "config.json"
    login.write_text('{"auths": {"%s": {"username": "oauth2accesstoken", "password": "t"}}}' % HOST)  # noqa: UP031 (braces)
    with serve(
        programs.google_endpoints(console), Endpoints(folder / "endpoints", HOST, "europe", (), {}, {"t": holder})
    ) as endpoints:
        environment = {**os.environ, **endpoints.environment(), "DOCKER_CONFIG": str(folder)}
        for name in ("python", "redis", "postgres"):
            target = f"{HOST}/p/docker-hub/library/{name}:1"
            command = [str(crane), "push", str(stand_in(name, console)), target]
            subprocess.run(command, env=environment, check=True, capture_output=True)
        with image_store(crane, folder / "images") as images:
            yield Machine(environment, crane, folder, images)


def test_an_official_image_is_fetched_and_follows_its_tag(machine: Machine, tmp_path: Path) -> None:
    images, image = OfficialImages(tmp_path), OfficialImage("redis", "8-alpine")
    hub, console = f"{HOST}/p/docker-hub", Console(stderr=True)
    with pytest.raises(ContainerError, match=rf"^cannot be fetched from {hub}: GET .*: MANIFEST_UNKNOWN"):
        images.fetch(image, hub, machine.crane, machine.environment)
    assert images.layout(image, console) == stand_in("redis", console)
    for content in ("redis", "redis", "python"):
        command = [str(machine.crane), "push", str(stand_in(content, console)), f"{hub}/library/{image}"]
        subprocess.run(command, env=machine.environment, check=True, capture_output=True)
        layout = images.fetch(image, hub, machine.crane, machine.environment)
        assert digest_of(layout) == digest_of(stand_in(content, console))
        assert images.layout(image, console) == layout
    assert [path.name for path in tmp_path.iterdir()] == ["redis-8-alpine"]
    target = f"{HOST}/p/candidates/redis:1"  # the layout is one that builds can push
    subprocess.run([str(machine.crane), "push", str(layout), target], env=machine.environment, check=True)


def build(machine: Machine, inside: Namespaces, dockerfile: str, tag: str) -> subprocess.CompletedProcess[str]:
    """Build an image from the text of a Dockerfile, and push it."""
    folder = machine.folder / tag
    context = folder / "context"
    context.mkdir(parents=True)
    (context / "Dockerfile").write_text(dockerfile)
    tools = programs.buildkit(Console(stderr=True))
    proxy = {key: value for key, value in machine.environment.items() if key in ("HTTPS_PROXY", "SSL_CERT_FILE")}
    with buildkit(tools, inside, folder, machine.folder / "cache", proxy) as address:
        output = f"type=image,name={HOST}/p/candidates/app:{tag},push=true"
        command = [
            str(tools / "buildctl"),
            f"--addr={address}",
            "build",
            "--progress=plain",
            "--frontend=dockerfile.v0",
        ]
        sources = [f"--local=context={context}", f"--local=dockerfile={context}", f"--output={output}"]
        return subprocess.run(
            [*command, *sources], env=machine.environment, capture_output=True, text=True, check=False
        )


def test_an_image_is_built_pushed_pulled_and_run_as_its_pod_says(machine: Machine) -> None:
    dockerfile = f"FROM {HOST}/p/docker-hub/library/python:1\nRUN pip --version && id -u > /built\nUSER 1000:1000\n"
    with namespaces(own_network=False) as inside:
        done = build(machine, inside, dockerfile, "good")
    assert done.returncode == 0, done.stderr
    image = machine.images.pull(f"{HOST}/p/candidates/app:good", machine.environment)
    with namespaces(own_network=True) as pod:
        security = {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False}
        container = Container(
            name="app",
            image=image,
            inside=pod,
            folder=machine.folder / "pod" / "app",
            environment={"GREETING": "hello"},
            mounts={machine.folder / "good": "/work"},
            security=security,
        )
        # runc copies output and errors at the same time, so their order is not certain
        script = "id -u; cat /built; echo $GREETING; ls /work/context; touch /file 2> /dev/null || echo read-only"
        child = container.start(["sh", "-c", script], output=subprocess.PIPE)
        output, _ = child.communicate(timeout=300)
    assert child.returncode == 0, output
    assert output.splitlines() == ["1000", "0", "hello", "Dockerfile", "read-only"]


def test_what_a_container_writes_stays_out_of_the_image(machine: Machine, tmp_path: Path) -> None:
    """Commands in one container share what they write, and the next container of the image does not have it."""
    image = machine.images.pull(f"{HOST}/p/docker-hub/library/redis:1", machine.environment)

    def output(name: str, *scripts: str) -> list[str]:
        with namespaces(own_network=True) as pod:
            root = layered(image, pod, tmp_path / name, {})
            container = Container(name=name, image=root, inside=pod, folder=tmp_path / f"{name}-bundles")
            started = (container.start(["sh", "-c", script], output=subprocess.PIPE) for script in scripts)
            return [child.communicate(timeout=300)[0] for child in started]

    first = output("first", "echo one > /new && rm /etc/passwd", "cat /new; test -e /etc/passwd || echo removed")
    assert first == ["", "one\nremoved\n"]
    assert output("second", "test ! -e /new && test -s /etc/passwd && echo unchanged") == ["unchanged\n"]
    assert not (image.root / "new").exists()


def test_a_build_that_fails_pushes_nothing(machine: Machine) -> None:
    with namespaces(own_network=False) as inside:
        done = build(machine, inside, f"FROM {HOST}/p/docker-hub/library/python:1\nRUN exit 7\n", "bad")
    assert done.returncode != 0
    assert "exit code: 7" in done.stderr
    tags = [str(machine.crane), "digest", f"{HOST}/p/candidates/app:bad"]
    assert subprocess.run(tags, env=machine.environment, capture_output=True, check=False).returncode != 0


def test_a_cache_of_builds_is_pruned_once_a_day(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    dockerfile = f"FROM {HOST}/p/docker-hub/library/redis:1\nRUN echo %s > /layer\n"
    layers = machine.folder / "cache" / "runc-overlayfs" / "snapshots" / "snapshots"
    pruned = machine.folder / "cache.pruned"
    with namespaces(own_network=False) as inside:
        assert build(machine, inside, dockerfile % "one", "today").returncode == 0
        assert pruned.exists()
        monkeypatch.setattr("atwork.containers.buildkit.CACHE_MEGABYTES", 0)
        assert build(machine, inside, dockerfile % "two", "later").returncode == 0
        assert [*layers.iterdir()] != []  # pruned today
        os.utime(pruned, (0, 0))
        assert build(machine, inside, dockerfile % "three", "tomorrow").returncode == 0
    assert [*layers.iterdir()] == []


def test_another_run_does_not_unpack_an_image_again(machine: Machine) -> None:
    reference = f"{HOST}/p/docker-hub/library/redis:1"
    unpacked = machine.images.pull(reference, machine.environment).root
    (unpacked / "mark").touch()
    with image_store(machine.crane, machine.images.folder) as another:
        assert (another.pull(reference, machine.environment).root / "mark").exists()


def test_an_image_that_the_disk_cannot_hold_is_one_line_and_leaves_nothing(machine: Machine, tmp_path: Path) -> None:
    with mounted(tmp_path, "size=4m"), image_store(machine.crane, tmp_path) as images:
        with pytest.raises(ContainerError) as caught:
            images.pull(f"{HOST}/p/docker-hub/library/redis:1", machine.environment)
        assert "no space left on device" in str(caught.value).lower()
        assert {path.suffix for path in tmp_path.iterdir()} <= {"", ".lock"}


@contextmanager
def mounted(folder: Path, options: str) -> Generator[None]:
    """A file system in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def store(
    machine: Machine, name: str, pod: Namespaces, arguments: list[str], user: int, **environment: str
) -> Container:
    """A started data store of a pod."""
    folder = machine.folder / f"store-{name}"
    image = machine.images.pull(f"{HOST}/p/docker-hub/library/{name}:1", machine.environment)
    data = folder / "data"
    data.mkdir(parents=True)
    os.chown(data, user, user)
    container = Container(
        name=name,
        image=image,
        inside=pod,
        folder=folder / "bundles",
        environment=environment,
        mounts={data: "/data"},
        security={"runAsUser": user, "runAsGroup": user, "capabilities": {"drop": ["ALL"]}},
    )
    with (folder / "log").open("w") as log:
        STARTED.append(container.start(image.command(arguments=arguments), output=log))
    return container


STARTED: list[subprocess.Popen[str]] = []
"""Processes that end with their namespaces."""


def answers(container: Container, *probe: str) -> bool:
    """Whether a probe succeeds."""
    return container.start(list(probe), output=subprocess.DEVNULL).wait() == 0


def test_the_stores_of_a_test_start_as_the_pod_template_says(machine: Machine) -> None:
    """The stand-ins take the arguments, variables and users that the platform gives Docker's images."""
    with namespaces(own_network=True) as pod:
        redis = store(machine, "redis", pod, ["--save", "", "--bind", "127.0.0.1"], 999)
        wait_for(lambda: answers(redis, "redis-cli", "-h", "127.0.0.1", "ping"))
        arguments = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
        variables = {"POSTGRES_HOST_AUTH_METHOD": "trust", "PGDATA": "/data/pgdata"}
        postgres = store(machine, "postgres", pod, arguments, 70, **variables)
        ready = ("pg_isready", "-h", "127.0.0.1", "-U", "postgres")
        wait_for(lambda: answers(postgres, *ready), (machine.folder / "store-postgres" / "log").read_text)
    assert [process.wait(timeout=60) for process in STARTED] == [-signal.SIGKILL] * 2


KILLED = """
import sys, time
from pathlib import Path
from atwork.containers.container import Container
from atwork.containers.errors import ContainerError
from atwork.containers.images import Unpacked, layered
from atwork.containers.namespaces import namespaces

with namespaces(own_network=True) as pod:
    folder = Path(sys.argv[2])
    image = layered(Unpacked(Path(sys.argv[1]), {}), pod, folder / "layer", {})
    container = Container(name="sleeper", image=image, inside=pod, folder=folder / "c")
    container.start(["sleep", "987654"], output=sys.stderr)
    print("started", flush=True)
    time.sleep(600)
"""


def sleepers() -> int:
    """Number of processes that run the command above, in any namespace."""
    number = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended
            number += path.read_bytes() == b"sleep\x00987654\x00"
    return number


def footprint() -> tuple[str, int, int]:
    """Mounts, control groups and network interfaces of this machine."""
    groups = sum(1 for _ in Path("/sys/fs/cgroup").rglob("cgroup.procs"))
    return Path("/proc/mounts").read_text(), groups, len(list(Path("/sys/class/net").iterdir()))


def test_a_killed_process_leaves_no_process_mount_control_group_or_interface(machine: Machine, tmp_path: Path) -> None:
    image = machine.images.pull(f"{HOST}/p/docker-hub/library/redis:1", machine.environment)
    before = footprint()
    command = [sys.executable, "-c", KILLED, str(image.root), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "started\n"
            wait_for(sleepers)
        finally:
            child.send_signal(signal.SIGKILL)
    wait_for(lambda: not sleepers(), lambda: "the container outlives the process that started it")
    assert footprint() == before
