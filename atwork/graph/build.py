"""From the resources of stacks to boxes and arrows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from atwork.graph import boxes
from atwork.graph import inventory as types
from atwork.graph.inventory import Inventory, namespace_of, project_in
from atwork.graph.model import Arrow, Box
from atwork.graph.resources import Resource

_AGENTS = "values.agent.containerCap"


@dataclass(frozen=True)
class Picture:
    """All boxes and arrows. Arrows come from a hub to the others, so that it is drawn above them."""

    hubs: tuple[Box, ...]
    others: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    of_stack: Mapping[str, Box]
    """The cell of each stack, which is among the hubs or the others."""

    def walk(self) -> Iterable[Box]:
        """Every box."""
        for cell in (*self.hubs, *self.others):
            yield from cell.walk()


def picture(stacks: Mapping[str, Sequence[Resource]]) -> Picture:
    """Boxes and arrows of stacks, in the order of the mapping.

    A stack with the registry or Jenkins is a hub, over the whole width where it is the only one.
    """
    found = {stack: Inventory(stack, resources) for stack, resources in stacks.items()}
    first = [one for one in found.values() if one.of(types.REPOSITORY, types.RELEASE)]
    later = [one for one in found.values() if one not in first]
    arrows = _Arrows(found)
    taken: set[str] = set()
    strangers = [_unique(one, taken) for one in arrows.strangers()]
    cells = {one.stack: _unique(_cell(one, wide=[one] == first), taken) for one in (*first, *later)}
    hubs = (*strangers, *(cells[one.stack] for one in first))
    return Picture(hubs, tuple(cells[one.stack] for one in later), arrows.known(taken), cells)


def _unique(box: Box, taken: set[str]) -> Box:
    """The box with ids that no other has: two names may look alike as ids."""
    name = next(one for number in count(1) if (one := box.id if number == 1 else f"{box.id}-{number}") not in taken)
    taken.add(name)
    return replace(box, id=name, rows=tuple(tuple(_unique(one, taken) for one in row) for row in box.rows))


def _cell(here: Inventory, *, wide: bool) -> Box:
    """An environment, with who comes in above it and where it goes below."""
    above = [boxes.of(here.stack, "outside", "people", title=boxes.listed(_people(here), 3))] if _people(here) else []
    below = [boxes.of(here.stack, "outside", "internet", title="the internet")] if here.of(types.NAT) else []
    rows = [tuple(above), (_environment(here, wide=wide),), tuple(below)]
    return boxes.of(here.stack, "cell", "", rows=rows)


def _environment(here: Inventory, *, wide: bool) -> Box:
    facts = (here.project, here.region)
    if not here.resources:
        note = boxes.of(here.stack, "note", "empty", title="Nothing is up")
        return boxes.of(here.stack, "environment", "", title=here.stack, rows=[(note,)])
    beside = [*boxes.registry(here), *boxes.around(here)]
    networks = _networks(here, wide=wide)
    if wide and networks:
        rows = [(_column(here, "networks", networks), _column(here, "beside", beside))]
    else:
        rows = [*((one,) for one in networks), *_pairs(beside)]
    return boxes.of(here.stack, "environment", "", title=here.stack, facts=facts, rows=rows)


def _column(here: Inventory, name: str, inside: Sequence[Box]) -> Box:
    return boxes.of(here.stack, "stack", name, title=" ", rows=[(one,) for one in inside])


def _networks(here: Inventory, *, wide: bool) -> list[Box]:
    """The network with what is in it; what would be in a network that is not there stands alone."""
    inside = [(_cluster(here, one, wide=wide),) for one in here.of(types.CLUSTER)]
    inside += [(one,) for one in _orphans(here)]
    databases = [boxes.database(here, one) for one in here.of(types.INSTANCE)]
    inside += _pairs([*databases, *(boxes.nat(here, one) for one in here.of(types.NAT))])
    found: list[Box] = []
    for network in here.of(types.NETWORK):
        subnets = here.of(types.SUBNETWORK)
        facts = [fact for one in subnets for fact in _ranges(one)]
        name = network.text("name") or network.name
        rows = [] if found else inside
        found.append(
            boxes.of(here.stack, "network", network.name, network, *([] if found else subnets), title=f"VPC {name}",
                     facts=facts, rows=rows)
        )  # fmt: skip
    return found or [one for row in inside for one in row]


def _pairs(boxes_: Sequence[Box]) -> list[tuple[Box, ...]]:
    """Two in a row; of an odd number the first stands alone, for it has the most to say."""
    start = len(boxes_) % 2
    pairs = [tuple(boxes_[at : at + 2]) for at in range(start, len(boxes_), 2)]
    return [tuple(boxes_[:start]), *pairs] if start else pairs


def _ranges(subnet: Resource) -> list[str]:
    nodes = subnet.text("ipCidrRange")
    pods = [
        f"{one.text('rangeName')} {one.text('ipCidrRange')}"
        for one in subnet.listed("secondaryIpRanges")
        if one.text("ipCidrRange")
    ]
    return [f"nodes {nodes}", *pods] if nodes else pods


def _orphans(here: Inventory) -> list[Box]:
    """Pools and namespaces of a cluster that is not among the resources: they are drawn all the same."""
    if here.of(types.CLUSTER):
        return []
    return [*(boxes.pool(here, one) for one in here.of(types.POOL)), *_tenants(here)]


def _cluster(here: Inventory, cluster: Resource, *, wide: bool) -> Box:
    first = cluster is here.of(types.CLUSTER)[0]
    pools = [boxes.pool(here, one) for one in here.of(types.POOL)] if first else []
    pools += boxes.on_demand(here, cluster)
    private = ("private",) if cluster.on("privateClusterConfig.enablePrivateNodes") else ()
    group = (
        [boxes.of(here.stack, "pools", cluster.name, title="Nodes", facts=private, rows=[(one,) for one in pools])]
        if pools
        else []
    )
    images = [_images(here, one) for one in here.of(types.IMAGES)] if first else []
    control = boxes.control(here, cluster)
    tenants = _tenants(here) if first else []
    if wide and tenants:
        front = _column(here, f"{cluster.name}-front", [control, *group, *images])
        rows = [(front, _column(here, f"{cluster.name}-tenants", tenants))]
    else:
        rows = [(*images, control), *((one,) for one in (*group, *tenants))]
    name = cluster.text("name") or cluster.name
    facts = (
        cluster.text("location"),
        f"{cluster.text('releaseChannel.channel').lower()} channel" if cluster.text("releaseChannel.channel") else "",
        "Dataplane V2" if cluster.text("datapathProvider") == "ADVANCED_DATAPATH" else "",
    )
    return boxes.of(
        here.stack, "cluster", cluster.name, cluster, title=f"GKE {name}", facts=facts, rows=rows,
        guarded=cluster.on("deletionProtection"),
    )  # fmt: skip


def _images(here: Inventory, policy: Resource) -> Box:
    enforced = policy.text("defaultAdmissionRule.enforcementMode").startswith("ENFORCED")
    facts = (("only our registry's" if enforced else "others are logged"),) if policy.inputs else ()
    return boxes.of(here.stack, "images", policy.name, policy, title="Images", facts=facts)


def _tenants(here: Inventory) -> list[Box]:
    """Jenkins with the namespaces that are its own, and the namespaces of services."""
    spaces = here.of(types.NAMESPACE)
    found: list[Box] = []
    taken: set[str] = set()
    for release in here.of(types.RELEASE):
        own = [one for one in spaces if one.urn not in taken and here.is_in(one, release.parent)]
        taken |= {one.urn for one in own}
        url = release.text("values.controller.jenkinsUrl").removeprefix("https://")
        agents = release.text(_AGENTS)
        facts = (url, f"≤ {agents} agents, a pod for each build" if agents else "")
        title = (release.text("chart") or release.name).title()
        rows = [(boxes.namespace(here, one),) for one in own]
        found.append(boxes.of(here.stack, "jenkins", release.name, release, title=title, facts=facts, rows=rows))
    return [*found, *(boxes.namespace(here, one) for one in spaces if one.urn not in taken)]


def _people(here: Inventory) -> list[str]:
    """Groups and people that reach the control plane."""
    members = [one.text("member") for one in here.of(types.PROJECT_MEMBER) if one.text("role").endswith(types.CONNECT)]
    return sorted({one.partition(":")[2].partition("@")[0] for one in members if one.startswith(("group:", "user:"))})


class _Arrows:
    """Who pulls, deploys, connects and reads, by what the permissions say."""

    def __init__(self, stacks: Mapping[str, Inventory]) -> None:
        self.stacks = stacks
        self.by_project = {one.project: one for one in stacks.values() if one.project}
        self.outside: dict[str, str] = {}
        """Projects that are not drawn, by the ids of their boxes."""
        self.arrows = {arrow for one in stacks.values() for arrow in self._of(one)}

    def known(self, ids: set[str]) -> tuple[Arrow, ...]:
        """The arrows whose both ends are drawn."""
        return tuple(sorted(one for one in self.arrows if one.source in ids and one.target in ids))

    def strangers(self) -> list[Box]:
        """A box for each project that something comes from and that is not drawn."""
        return [
            boxes.of("", "cell", one, rows=[(Box(name, "outside", one, ("not in this picture",)),)])
            for name, one in sorted(self.outside.items())
        ]

    def _of(self, here: Inventory) -> Iterable[Arrow]:
        for cluster in here.of(types.CLUSTER)[:1]:
            control, nodes = self._id(here, "control", cluster.name), self._id(here, "pools", cluster.name)
            if _people(here):
                yield Arrow("people", self._id(here, "outside", "people"), control)
            yield from self._pulls(here, nodes)
            yield from self._deploys(here, control)
        for one in here.of(types.NAT):
            yield Arrow("internet", self._id(here, "nat", one.name), self._id(here, "outside", "internet"))
        yield from self._data(here)

    def _pulls(self, here: Inventory, nodes: str) -> Iterable[Arrow]:
        accounts = {one.text("nodeConfig.serviceAccount") for one in here.of(types.POOL)} - {""}
        for one in here.of(types.REPOSITORY_MEMBER):
            member = one.text("member")
            project = one.text("project") or here.project
            if member.removeprefix("serviceAccount:") in accounts:
                yield Arrow("images", self._registry(project), nodes)
            elif one.text("role").endswith("writer") and (space := self._space(here, member)):
                yield Arrow("images", space, self._registry(project))

    def _deploys(self, here: Inventory, control: str) -> Iterable[Arrow]:
        """Accounts that may deploy here, from the namespaces whose pods act as them."""
        for other in self.stacks.values():
            for one in other.of(types.SERVICE_ACCOUNT):
                account = types.acts_as(one)
                if other is not here and here.project and project_in(account) == here.project:
                    yield Arrow("deploys", self._id(other, "namespace", namespace_of(one)), control)
        for one in here.of(types.ACCOUNT_MEMBER):
            project = project_in(one.text("member"))
            if project and project != here.project and project not in self.by_project:
                yield Arrow("deploys", self._elsewhere(project), control)

    def _data(self, here: Inventory) -> Iterable[Arrow]:
        """Namespaces whose pods log in to a database, and that read secrets."""
        for one in here.of(types.ACCOUNT_MEMBER):
            space = self._space(here, one.text("member"))
            for instance in here.of(types.INSTANCE):
                if space and one.parent and one.parent == instance.parent:
                    yield Arrow("data", space, self._id(here, "database", instance.name))
        for one in here.of(types.SECRET_MEMBER):
            for space in self._spaces(here, one.text("member")):
                yield Arrow("secrets", space, self._id(here, "secrets", ""))

    def _spaces(self, here: Inventory, member: str) -> Iterable[str]:
        """Namespaces whose pods are a member: as themselves, or as the Google account of their annotation."""
        if space := self._space(here, member):
            yield space
        account = member.removeprefix("serviceAccount:")
        for one in here.of(types.SERVICE_ACCOUNT):
            if account and types.acts_as(one) == account:
                yield self._id(here, "namespace", namespace_of(one))

    def _space(self, here: Inventory, member: str) -> str:
        name = types.namespace_in(member)
        return self._id(here, "namespace", name) if name else ""

    def _registry(self, project: str) -> str:
        owner = self.by_project.get(project)
        return self._id(owner, "registry", "") if owner else self._elsewhere(project)

    def _elsewhere(self, project: str) -> str:
        name = boxes.identity("", "outside", project or "unknown")
        self.outside[name] = project
        return name

    @staticmethod
    def _id(here: Inventory, kind: str, name: str) -> str:
        return boxes.identity(here.stack, kind, name)
