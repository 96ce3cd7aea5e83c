"""What `atwork sandbox status` says of real clusters: their programs, their nodes, and pods that do not run."""

from __future__ import annotations

from collections.abc import Iterator

from atwork.sandbox.clusters import waiting
from atwork.sandbox.clusters.api import Api, ApiError
from atwork.sandbox.clusters.cluster import Cluster
from atwork.sandbox.clusters.credentials import NODE
from atwork.sandbox.clusters.fleet import Fleet


def lines(fleet: Fleet) -> Iterator[str]:
    """Lines about all clusters; nothing is started for them."""
    for cluster in fleet.clusters():
        yield f"{cluster.environment}: API server {cluster.server}: {_programs(fleet, cluster)}"
        api = Api(fleet.kubeconfig(cluster)) if _answers(fleet, cluster) else None
        if api is None:
            continue
        try:
            if fleet.real_nodes and cluster.managed:
                yield f"{cluster.environment}: {_nodes(api, runs=fleet.node(cluster).daemon.alive())}"
            yield from (f"{cluster.environment}: {line}" for line in waiting.reasons(api))
        except ApiError as error:
            yield f"{cluster.environment}: pods are not known: {error}"
        finally:
            api.close()


def _answers(fleet: Fleet, cluster: Cluster) -> bool:
    return not cluster.managed or all(
        each.alive() for each in fleet.daemons(cluster) if each.name in ("etcd", "kube-apiserver")
    )


def _programs(fleet: Fleet, cluster: Cluster) -> str:
    """Whether its programs run; why those do not that should."""
    daemons = fleet.daemons(cluster)
    stopped = [each for each in daemons if not each.alive()]
    if not stopped:
        return "running"
    if len(stopped) == len(daemons):
        return "stopped; the next command starts it"
    names = ", ".join(each.name for each in stopped)
    # The agent of a node writes only why it ended.
    why = " ".join(each.last_output(200) for each in stopped if each.name == "node")
    return f"stopped: {names}{f' ({why})' if why else ''}; the next command starts what is missing"


def _nodes(api: Api, *, runs: bool) -> str:
    """How many pods run for real, and how many only seem to."""
    ended = ("Succeeded", "Failed")
    pods = [pod for pod in api.all("/api/v1/pods") if (pod.get("status") or {}).get("phase") not in ended]
    placed = [pod["spec"].get("nodeName") for pod in pods]
    real = placed.count(NODE)
    simulated = sum(1 for name in placed if name and name != NODE)
    what = "runs them" if runs else "is stopped"
    return f"pods: {real} on the node {NODE}, which {what}; {simulated} on other nodes, where kwok plays them"
