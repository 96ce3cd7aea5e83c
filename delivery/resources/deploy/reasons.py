"""Say why a release does not run: what keeps pods of its namespace from being ready, or Helm's error.

    reasons.py NAMESPACE ERRORS

ERRORS is a file with the standard error of Helm. Prints one line to the standard output, and the end of the log of each
container that does not run to the standard error. Asks the cluster as the account `deployer` of the namespace, with the
files that `cluster.groovy` writes in DOCKER_CONFIG.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

PODS = 3
"""How many pods are looked at, the newest first."""

LINES = 20
"""How many lines of a log are printed."""

Item = dict[str, Any]
"""An object of the cluster, or a part of it."""

STARTING = {"ContainerCreating", "PodInitializing"}
"""Reasons that say nothing: the events of the pod do."""


class Cluster:
    """One namespace of a cluster."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.login = Path(os.environ["DOCKER_CONFIG"])

    def text(self, api: str, path: str) -> str:
        """The answer to a request below the namespace; `OSError` if there is none."""
        account = f"Impersonate-User: system:serviceaccount:{self.namespace}:deployer"
        url = f"{(self.login / 'endpoint').read_text()}/{api}/namespaces/{self.namespace}/{path}"
        options = ["--silent", "--show-error", "--fail", "--max-time", "30", "--config", str(self.login / "curl")]
        command = ["curl", *options, "--header", account, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(f"{path}: {done.stderr.strip()}")
        return done.stdout

    def items(self, api: str, path: str) -> list[Item]:
        """The objects of a list."""
        return json.loads(self.text(api, path))["items"]

    def log(self, pod: Item, container: Item) -> list[str]:
        """The last lines that a container wrote; of its last run if it waits for the next."""
        options: Item = {"container": container["name"], "tailLines": LINES}
        if "waiting" in (container.get("state") or {}):
            options["previous"] = "true"
        try:
            return self.text("api/v1", f"pods/{pod['metadata']['name']}/log?{urlencode(options)}").splitlines()
        except OSError:  # it never ran, or its log is gone
            return []


def waits(pod: Item) -> bool:
    """Whether a pod should run and is not ready."""
    status = pod.get("status") or {}
    if "deletionTimestamp" in pod["metadata"] or status.get("phase") == "Succeeded":
        return False
    return not any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())


def containers(pod: Item) -> list[Item]:
    """The states of containers that are not ready, in the order in which they start."""
    status = pod.get("status") or {}
    states = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return [each for each in states if not each.get("ready") and not finished(each)]


def finished(container: Item) -> bool:
    """Whether a container has ended without an error, as init containers do."""
    return (container.get("state") or {}).get("terminated", {}).get("exitCode") == 0


def state(container: Item) -> str:
    """Why a container is not ready, as its status says; empty if it does not say."""
    now, before = container.get("state") or {}, (container.get("lastState") or {}).get("terminated")
    ended = now.get("terminated") or (before if now.get("waiting") else None)
    if ended:
        reason = ended.get("reason") or "Error"
        times = f", restarts: {container['restartCount']}" if container.get("restartCount") else ""
        return f"ends with exit code {ended.get('exitCode')} ({reason}){times}"
    waiting = now.get("waiting") or {}
    if waiting.get("reason", "") in {"", *STARTING}:
        return ""
    return ": ".join(filter(None, [waiting["reason"], waiting.get("message")]))


def last_warning(events: list[Item], identity: str) -> str:
    """The newest warning about an object; empty without one."""
    about = [event for event in events if event["involvedObject"].get("uid") == identity]
    last = max(about, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "", default=None)
    return f"{last['reason']}: {last['message']}" if last else ""


def unscheduled(pod: Item) -> str:
    """Why no node takes a pod; empty if one has taken it."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason')}: {condition.get('message')}"
    return ""


def of_pod(cluster: Cluster, pod: Item, events: list[Item]) -> str:
    """Why a pod is not ready; prints the logs of its containers."""
    name = pod["metadata"]["name"]
    why, warning = unscheduled(pod), last_warning(events, pod["metadata"]["uid"])
    if why.startswith("SchedulingGated"):  # says nothing of what it waits for
        why = warning or why
    for container in containers(pod):
        stated = state(container) or warning
        why = why or (f"{container['name']}: {stated}" if stated else "")
        log = cluster.log(pod, container)
        if log:
            print(f"{name}, container {container['name']}, the end of its log:", file=sys.stderr)
            print(*(f"  {line}" for line in log), sep="\n", file=sys.stderr)
    phase = (pod.get("status") or {}).get("phase", "Pending")
    return f"{name}: {one_line(why or warning or f'{phase}, not ready')}"


def refused(deployments: list[Item]) -> list[str]:
    """Deployments whose pods are refused, as by a quota or an admission policy."""
    return [
        f"{item['metadata']['name']}: {one_line(condition.get('message', ''))}"
        for item in deployments
        for condition in (item.get("status") or {}).get("conditions") or ()
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    ]


def one_line(text: str) -> str:
    """A text that a chat message can contain."""
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:297]}..."


def reasons(cluster: Cluster) -> list[str]:
    """What keeps pods of the namespace from being ready."""
    pods = sorted(filter(waits, cluster.items("api/v1", "pods")), key=created, reverse=True)[:PODS]
    events = cluster.items("api/v1", "events?fieldSelector=type%3DWarning") if pods else []
    return [*refused(cluster.items("apis/apps/v1", "deployments")), *(of_pod(cluster, pod, events) for pod in pods)]


def created(item: Item) -> str:
    """When an object was created."""
    return item["metadata"].get("creationTimestamp") or ""


def helms_error(lines: list[str]) -> str:
    """The error of Helm in what it wrote; empty if it only says that time is up."""
    errors = [line for line in lines if line.startswith("Error:")] or lines[-1:]
    error = one_line(" ".join(errors[-1:])).removeprefix("Error: ")
    expired = ("context deadline exceeded", "timed out waiting for the condition")
    return "" if error.endswith(expired) and "hook" not in error else error


def main(namespace: str, errors: str) -> None:
    """Print the reason."""
    error = helms_error([line for line in Path(errors).read_text().splitlines() if line.strip()])
    why = reasons(Cluster(namespace))
    print("; ".join(filter(None, [error, *why])) or "its pods were not ready in time")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
