"""The programs that tests and commands run in addition to the engine: on PATH, or built into the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console

from atwork.toolchain.gobuild import Program, provide

HELM = Program(
    "helm",
    "helm.sh/helm/v3",
    {"helm": "helm.sh/helm/v3/cmd/helm"},
    minutes=5,
    variables={"helm.sh/helm/v3/internal/version.version": "{version}"},
)
"""Packages, checks and pushes charts."""

_CONTAINERS = "github.com/google/go-containerregistry"
REGISTRY = Program(
    "registry",
    _CONTAINERS,
    {
        "crane": f"{_CONTAINERS}/cmd/crane",
        "registry": f"{_CONTAINERS}/cmd/registry",
        "google-endpoints": "./endpoints",
    },
    minutes=1,
)
"""Container registries, one for anybody and one that asks for rights, and the client that promotes images."""


_BUILDKIT = "github.com/moby/buildkit"
BUILDKIT = Program(
    "buildkit",
    _BUILDKIT,
    {"buildctl": f"{_BUILDKIT}/cmd/buildctl", "buildkitd": f"{_BUILDKIT}/cmd/buildkitd"},
    minutes=3,
    variables={f"{_BUILDKIT}/version.Version": "{version}"},
)
"""Builds the images of services; it starts its containers with runc."""

_ROOTLESSKIT = "github.com/rootless-containers/rootlesskit/v3"
ROOTLESSKIT = Program("rootlesskit", _ROOTLESSKIT, {"rootlesskit": f"{_ROOTLESSKIT}/cmd/rootlesskit"}, minutes=1)
"""Starts BuildKit without root, in the image of build pods.

A module of its own: in BuildKit's, it would raise versions that BuildKit was released with.
"""

ACTIONLINT = Program(
    "actionlint",
    "github.com/rhysd/actionlint",
    {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
    minutes=1,
)
"""Checks workflows."""

_PROMETHEUS = "github.com/prometheus/prometheus"
PROMTOOL = Program(
    "promtool",
    _PROMETHEUS,
    {"promtool": f"{_PROMETHEUS}/cmd/promtool"},
    minutes=3,
    variables={"github.com/prometheus/common/version.Version": "{version}"},
    # Clients of clouds and clusters that find what to scrape: more than half of what there is to compile.
    tags=("remove_all_sd",),
)
"""Tests the rules of alerts."""

_MAIN = "k8s.io/kubernetes/cmd"
_VERSION = "k8s.io/component-base/version"
KUBERNETES = Program(
    "kubernetes",
    "k8s.io/kubernetes",
    {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": f"{_MAIN}/kube-apiserver",
        "kube-controller-manager": f"{_MAIN}/kube-controller-manager",
        "kube-scheduler": f"{_MAIN}/kube-scheduler",
    },
    minutes=12,
    # Without these a server calls itself v0.0.0-master+$Format:%H$, which no client can read.
    variables={f"{_VERSION}.gitVersion": "{version}", f"{_VERSION}.gitMajor": "1", f"{_VERSION}.gitMinor": "36"},
)
"""The control plane of real clusters in the sandbox."""

KUBELET = Program(
    "kubelet",
    "k8s.io/kubernetes",
    {
        "kubelet": f"{_MAIN}/kubelet",
        "kube-proxy": f"{_MAIN}/kube-proxy",
        "coredns": "./dns",
        "network-policies": "./policies",
    },
    minutes=5,
    variables=KUBERNETES.variables,
)
"""The agent of nodes that run pods, with Services, names and network policies for the pods.

A module of its own: its dependencies are not those of the control plane. CoreDNS is in it, in a version that changes no
other module, because both then compile the client of Kubernetes once.
"""

_CONTAINERD = "github.com/containerd/containerd/v2"
_NETWORK = "github.com/containernetworking/plugins/plugins"
NODE = Program(
    "node",
    _CONTAINERD,
    {
        "containerd": f"{_CONTAINERD}/cmd/containerd",
        "containerd-shim-runc-v2": f"{_CONTAINERD}/cmd/containerd-shim-runc-v2",
        "ctr": f"{_CONTAINERD}/cmd/ctr",
        "loopback": f"{_NETWORK}/main/loopback",
        "ptp": f"{_NETWORK}/main/ptp",
        "host-local": f"{_NETWORK}/ipam/host-local",
        "pause": "./pause",
        "secrets-store": "./secrets",
    },
    minutes=4,
    variables={f"{_CONTAINERD}/version.Version": "{version}"},
)
"""What runs the pods of a node: containerd, which starts runc, the plugins of the pods' network, and their secrets."""

KWOK = Program("kwok", "sigs.k8s.io/kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, minutes=3)
"""Plays their nodes, so that pods become ready with no container running."""


def actionlint(console: Console) -> Path:
    """The checker of workflows: the one on PATH, or the one in the cache."""
    path = shutil.which("actionlint")
    return Path(path) if path else provide(ACTIONLINT, console) / "actionlint"


def promtool(console: Console) -> Path:
    """The tester of alert rules: always the pinned one from the cache, because its language of cases changes."""
    return provide(PROMTOOL, console) / "promtool"


def helm(console: Console) -> Path:
    """Helm 3: the one on PATH, or the one in the cache."""
    path = shutil.which("helm")
    return Path(path) if path else provide(HELM, console) / "helm"


def helm_at_hand() -> Path | None:
    """Helm, if it is on PATH or in the cache; it is never built for this."""
    path = shutil.which("helm")
    built = HELM.folder() / "helm"
    return Path(path) if path else built if built.exists() else None


def buildkit(console: Console) -> Path:
    """The folder with buildctl and buildkitd: both from PATH, or both from the cache."""
    paths = {Path(path).parent for name in BUILDKIT.binaries if (path := shutil.which(name))}
    missing = any(shutil.which(name) is None for name in BUILDKIT.binaries)
    return provide(BUILDKIT, console) if missing or len(paths) > 1 else paths.pop()


def rootlesskit(console: Console) -> Path:
    """RootlessKit, from the cache: its version is that of BuildKit's image."""
    return provide(ROOTLESSKIT, console) / "rootlesskit"


def google_endpoints(console: Console) -> Path:
    """The registry and the API servers of clusters as Google offers them, from the cache."""
    return provide(REGISTRY, console) / "google-endpoints"


def registry(console: Console) -> tuple[Path, Path]:
    """The client and the registry; nobody has the latter on PATH, so that both come from the cache."""
    folder = provide(REGISTRY, console)
    return folder / "crane", folder / "registry"


def node(console: Console) -> tuple[Path, Path]:
    """The folders of `KUBELET` and `NODE`, from the cache: the files that the sandbox writes fit these versions."""
    return provide(KUBELET, console), provide(NODE, console)


def control_plane(console: Console) -> dict[str, Path]:
    """etcd, the Kubernetes control plane and kwok: all from PATH, or all from the cache.

    The two are never mixed: the flags fit versions close to the pinned ones, and the parts of a control plane must have
    the same version.
    """
    names = (*KUBERNETES.binaries, *KWOK.binaries)
    on_path = {name: Path(path) for name in names if (path := shutil.which(name))}
    if len(on_path) == len(names):
        return on_path
    folders = {name: provide(program, console) for program in (KUBERNETES, KWOK) for name in program.binaries}
    return {name: folder / name for name, folder in folders.items()}
