"""The boxes of a cluster: control plane, node pools, admission of images, Jenkins and namespaces."""

from __future__ import annotations

from atwork.graph import inventory as types
from atwork.graph.boxes import box, column
from atwork.graph.inventory import Inventory, namespace_of, settings_key
from atwork.graph.model import Box
from atwork.graph.resources import StackResource

_AGENT_LIMIT = "values.agent.containerCap"


def cluster(stack: Inventory, resource: StackResource, *, wide: bool) -> Box:
    """A cluster with its contents; node pools and namespaces are in the first cluster of a stack."""
    first = resource is stack.of(types.CLUSTER)[0]
    pools = [pool(stack, item) for item in stack.of(types.POOL)] if first else []
    pools += on_demand(stack, resource)
    private = ("private",) if resource.is_on("privateClusterConfig.enablePrivateNodes") else ()
    pool_rows = [(item,) for item in pools]
    nodes = [box(stack.stack, "pools", resource.name, title="Nodes", facts=private, rows=pool_rows)] if pools else []
    images = [_images(stack, policy) for policy in stack.of(types.IMAGES)] if first else []
    control = control_plane(stack, resource)
    namespaces = jenkins_and_namespaces(stack) if first else []
    if wide and namespaces:
        front = column(stack.stack, f"{resource.name}-front", [control, *nodes, *images])
        rows = [(front, column(stack.stack, f"{resource.name}-tenants", namespaces))]
    else:
        rows = [(*images, control), *((item,) for item in (*nodes, *namespaces))]
    channel = resource.text("releaseChannel.channel")
    return box(
        stack.stack,
        "cluster",
        resource.name,
        resource,
        title=f"GKE {resource.text('name') or resource.name}",
        facts=(
            resource.text("location"),
            f"{channel.lower()} channel" if channel else "",
            "Dataplane V2" if resource.text("datapathProvider") == "ADVANCED_DATAPATH" else "",
        ),
        rows=rows,
        guarded=resource.is_on("deletionProtection"),
    )


def parts_without_cluster(stack: Inventory) -> list[Box]:
    """Node pools and namespaces of a stack whose cluster is not among its resources."""
    if stack.of(types.CLUSTER):
        return []
    return [*(pool(stack, item) for item in stack.of(types.POOL)), *jenkins_and_namespaces(stack)]


def pool(stack: Inventory, resource: StackResource) -> Box:
    """A node pool: machine type, minimum and maximum number of nodes."""
    least = resource.text("autoscaling.totalMinNodeCount") or resource.text("autoscaling.minNodeCount")
    most = resource.text("autoscaling.totalMaxNodeCount") or resource.text("autoscaling.maxNodeCount")
    size = f"{least or 0}\u2013{most}" if most else resource.text("nodeCount")
    machine = " \u00d7 ".join(part for part in (resource.text("nodeConfig.machineType"), size) if part)
    facts = (
        machine,
        "spot" if resource.is_on("nodeConfig.spot") else "",
        "blue/green" if resource.text("upgradeSettings.strategy") == "BLUE_GREEN" else "",
    )
    return box(stack.stack, "pool", resource.name, resource, title=settings_key(resource), facts=facts)


def on_demand(stack: Inventory, resource: StackResource) -> list[Box]:
    """The nodes that the cluster creates itself, if it may, with their limits."""
    if not resource.is_on("clusterAutoscaling.enabled"):
        return []
    limits = {
        limit.text("resourceType"): limit.text("maximum")
        for limit in resource.items("clusterAutoscaling.resourceLimits")
    }
    facts = (
        f"≤ {limits['cpu']} CPU" if limits.get("cpu") else "",
        f"{limits['memory']} GB" if limits.get("memory") else "",
    )
    return [box(stack.stack, "pool", f"{resource.name}-on-demand", title="on demand", facts=facts)]


def control_plane(stack: Inventory, resource: StackResource) -> Box:
    """The control plane: which endpoints it has."""
    endpoints = "controlPlaneEndpointsConfig"
    has_dns = resource.value(f"{endpoints}.dnsEndpointConfig.allowExternalTraffic") is not None
    has_address = resource.value(f"{endpoints}.ipEndpointsConfig.enabled") is not False
    facts = ("DNS endpoint, IAM" if has_dns else "", "IP endpoint" if has_address else "no IP endpoint")
    roles = [role for role in stack.of(types.CUSTOM_ROLE) if role.text("roleId") == types.CONNECT]
    members = [member for member in stack.of(types.PROJECT_MEMBER) if member.text("role").endswith(types.CONNECT)]
    providers = [item for item in stack.resources if item.type == f"{types.PROVIDERS}kubernetes"]
    return box(
        stack.stack,
        "control",
        resource.name,
        *roles,
        *members,
        *providers,
        title="Control plane",
        facts=facts if resource.inputs else (),
    )


def _images(stack: Inventory, policy: StackResource) -> Box:
    enforced = policy.text("defaultAdmissionRule.enforcementMode").startswith("ENFORCED")
    facts = (("only our registry's" if enforced else "others are logged"),) if policy.inputs else ()
    return box(stack.stack, "images", policy.name, policy, title="Images", facts=facts)


def jenkins_and_namespaces(stack: Inventory) -> list[Box]:
    """Jenkins with its own namespaces, and the namespaces of services."""
    namespaces = stack.of(types.NAMESPACE)
    boxes: list[Box] = []
    placed: set[str] = set()
    for release in stack.of(types.RELEASE):
        own = [item for item in namespaces if item.urn not in placed and stack.is_in(item, release.parent)]
        placed |= {item.urn for item in own}
        url = release.text("values.controller.jenkinsUrl").removeprefix("https://")
        agents = release.text(_AGENT_LIMIT)
        facts = (url, f"≤ {agents} agents, a pod for each build" if agents else "")
        title = (release.text("chart") or release.name).title()
        rows = [(namespace(stack, item),) for item in own]
        boxes.append(box(stack.stack, "jenkins", release.name, release, title=title, facts=facts, rows=rows))
    return [*boxes, *(namespace(stack, item) for item in namespaces if item.urn not in placed)]


def namespace(stack: Inventory, resource: StackResource) -> Box:
    """A namespace: its owner, and its CPU quota."""
    name = namespace_of(resource)
    quota = next((item for item in stack.of(types.QUOTA) if namespace_of(item) == name), None)
    hard = quota.value("spec.hard") if quota else None
    cpu = StackResource("", "", hard).inputs.get("requests.cpu") if isinstance(hard, dict) else None
    facts = (resource.text("metadata.labels.owner"), f"≤ {cpu} CPU" if cpu else "")
    return box(stack.stack, "namespace", name, resource, facts=facts)
