"""From the resources of stacks to boxes and arrows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from atwork.graph import cluster_boxes, environment_boxes
from atwork.graph import inventory as types
from atwork.graph.arrows import Arrows, people
from atwork.graph.boxes import box, column, enumerated, pairs
from atwork.graph.inventory import Inventory
from atwork.graph.model import Arrow, Box
from atwork.graph.resources import StackResource
from components.network_settings import PROXY_ONLY


@dataclass(frozen=True)
class Picture:
    """All boxes and arrows. Most arrows start at a hub, so hubs are drawn above the others."""

    hubs: tuple[Box, ...]
    others: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    of_stack: Mapping[str, Box]
    """The cell of each stack, which is one of the hubs or of the others."""

    def walk(self) -> Iterable[Box]:
        """Every box."""
        for cell in (*self.hubs, *self.others):
            yield from cell.walk()


def picture(stacks: Mapping[str, Sequence[StackResource]]) -> Picture:
    """Boxes and arrows of stacks, in the order of the mapping.

    A stack with the registry or Jenkins is a hub, and as wide as the picture if it is the only hub.
    """
    inventories = {stack: Inventory(stack, resources) for stack, resources in stacks.items()}
    hubs = [stack for stack in inventories.values() if stack.of(types.REPOSITORY, types.RELEASE)]
    others = [stack for stack in inventories.values() if stack not in hubs]
    arrows = Arrows(inventories)
    ids: set[str] = set()
    outside = [_with_unique_ids(item, ids) for item in arrows.outside_boxes()]
    cells = {stack.stack: _with_unique_ids(_cell(stack, wide=[stack] == hubs), ids) for stack in (*hubs, *others)}
    return Picture(
        (*outside, *(cells[stack.stack] for stack in hubs)),
        tuple(cells[stack.stack] for stack in others),
        arrows.between(ids),
        cells,
    )


def _with_unique_ids(item: Box, ids: set[str]) -> Box:
    """The box with ids that no other box has, because two names may give the same id."""
    candidates = (item.id if number == 1 else f"{item.id}-{number}" for number in count(1))
    name = next(candidate for candidate in candidates if candidate not in ids)
    ids.add(name)
    rows = tuple(tuple(_with_unique_ids(child, ids) for child in row) for row in item.rows)
    return replace(item, id=name, rows=rows)


def _cell(stack: Inventory, *, wide: bool) -> Box:
    """An environment, with the people who use it above it and the internet below it."""
    names = people(stack)
    above = [box(stack.stack, "outside", "people", title=enumerated(names, 3))] if names else []
    below = [box(stack.stack, "outside", "internet", title="the internet")] if stack.of(types.NAT) else []
    rows = [tuple(above), (_environment(stack, wide=wide),), tuple(below)]
    return box(stack.stack, "cell", "", rows=rows)


def _environment(stack: Inventory, *, wide: bool) -> Box:
    if not stack.resources:
        note = box(stack.stack, "note", "empty", title="Nothing is up")
        return box(stack.stack, "environment", "", title=stack.stack, rows=[(note,)])
    others = [*environment_boxes.registry(stack), *environment_boxes.outside_network(stack)]
    networks = _networks(stack, wide=wide)
    if wide and networks:
        rows = [(column(stack.stack, "networks", networks), column(stack.stack, "beside", others))]
    else:
        rows = [*((network,) for network in networks), *pairs(others)]
    facts = (stack.project, stack.region)
    return box(stack.stack, "environment", "", title=stack.stack, facts=facts, rows=rows)


def _networks(stack: Inventory, *, wide: bool) -> list[Box]:
    """The networks, the first with all contents; without a network, the contents themselves."""
    contents = [(cluster_boxes.cluster(stack, item, wide=wide),) for item in stack.of(types.CLUSTER)]
    contents += [(item,) for item in cluster_boxes.parts_without_cluster(stack)]
    databases = [environment_boxes.database(stack, item) for item in stack.of(types.INSTANCE)]
    databases += [environment_boxes.redis(stack, item) for item in stack.of(types.REDIS)]
    contents += pairs([*databases, *(environment_boxes.nat(stack, item) for item in stack.of(types.NAT))])
    subnets = stack.of(types.SUBNETWORK)
    facts = [fact for subnet in subnets for fact in _ranges(subnet)]
    networks: list[Box] = []
    for resource in stack.of(types.NETWORK):
        title = f"VPC {resource.text('name') or resource.name}"
        resources, rows = ([resource], []) if networks else ([resource, *subnets], contents)
        networks.append(box(stack.stack, "network", resource.name, *resources, title=title, facts=facts, rows=rows))
    return networks or _existing_network(stack, contents) or [item for row in contents for item in row]


def _existing_network(stack: Inventory, contents: list[tuple[Box, ...]]) -> list[Box]:
    """The network of somebody else that the cluster is in."""
    names = (cluster.text("network").split("/") for cluster in stack.of(types.CLUSTER))
    named = next((parts for parts in names if len(parts) > 1), None)
    if named is None:
        return []
    facts = (f"existing, in {named[1]}",)
    return [box(stack.stack, "network", "existing", title=f"VPC {named[-1]}", facts=facts, rows=contents)]


def _ranges(subnet: StackResource) -> list[str]:
    nodes = subnet.text("ipCidrRange")
    pods = [
        f"{item.text('rangeName')} {item.text('ipCidrRange')}"
        for item in subnet.items("secondaryIpRanges")
        if item.text("ipCidrRange")
    ]
    key = "proxies" if subnet.text("purpose") == PROXY_ONLY else "nodes"
    return [f"{key} {nodes}", *pods] if nodes else pods
