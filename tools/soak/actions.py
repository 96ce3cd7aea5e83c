"""What happens in a step. Each action says what it did, or raises `Disagreement` where a command did otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from atwork.engine.urn import name_of
from atwork.sandbox.cloud import CloudObject
from atwork.sandbox.faults.commands import describe
from atwork.sandbox.faults.model import Effect, Fault, Operation
from components.type_tokens import NODE_POOL, PROJECT_MEMBER, SERVICE_ACCOUNT
from tools.soak import violence
from tools.soak.life import Disagreement, Environment, Life

_TYPES = (
    NODE_POOL,
    PROJECT_MEMBER,
    SERVICE_ACCOUNT,
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    *[""] * 5,
)


@dataclass(frozen=True)
class Action:
    """A kind of step: how often it comes, and what it needs."""

    name: str
    weight: int
    run: Callable[[Life, Environment], str]
    needs_up: bool = True
    takes_cut_off: bool = False

    def able(self, environment: Environment) -> bool:
        """Whether an environment is in a condition in which this can be done."""
        return (environment.up or not self.needs_up) and (not environment.cut_off or self.takes_cut_off)


def change(life: Life, environment: Environment) -> str:
    """Edit, then up."""
    reported = life.change(environment)
    life.up(environment)
    return reported


def no_change(life: Life, environment: Environment) -> str:
    """Up twice: the second finds nothing to do."""
    life.up(environment)
    unchanged(life, environment)
    return "nothing to do the second time"


def unchanged(life: Life, environment: Environment) -> None:
    """An `up` that has to change nothing."""
    done = life.up(environment)
    [row] = [line.split() for line in done.printed.splitlines() if line.startswith(f"{environment.name} ")][:1]
    if row[3:7] != ["·"] * 4:
        raise Disagreement(f"{environment.name}: an `up` with no change did something:\n{done.printed}")


def fault(life: Life, environment: Environment) -> str:
    """Edit, add a fault, up; where it hit, the command has failed with its words, and otherwise it has not."""
    reported = life.change(environment, grow=life.chance.random() < 0.7)
    operation = (
        Operation.create if "comes" in reported else Operation.delete if "goes" in reported else Operation.update
    )
    effects = [item for item in Effect if item is not Effect.unreachable]
    effect = life.chance.choice(
        [item for item in effects if item is not Effect.partial or operation is not Operation.delete]
    )
    created = Fault(
        effect=effect,
        operation=operation,
        type=life.chance.choice(_TYPES),
        stack=environment.name,
        nth=life.chance.choice((1, 1, 2, 5)),
        always=life.chance.random() < 0.3,
        seconds=1.0 if effect in (Effect.slow, Effect.hang) else None,
        message="" if effect is Effect.slow else "a fault of the soak",
    )
    hits = _with_fault(life, environment, created)
    return f"{describe(created)}, {reported}: {f'hit {hits} time(s)' if hits else 'not hit'}"


def unreachable(life: Life, environment: Environment) -> str:
    """The API server is gone: an up that changes something in it fails, and so does a refresh; nothing is lost."""
    life.faults.add(Fault(effect=Effect.unreachable, operation=Operation.any, stack=environment.name, always=True))
    life.figures["faults"] += 1
    try:
        done = life.ended(life.engines.pulumi("refresh", "-s", environment.name, "--yes", "--skip-preview"), code=None)
        inside = any(item.type.startswith("kubernetes:") for item in life.objects(environment))
        if inside and (not done.code or "configured Kubernetes cluster is unreachable" not in done.printed):
            raise Disagreement(f"a refresh without the API server did not fail:\n{done.printed[-2000:]}")
    finally:
        life.figures["faults hit"] += sum(item.hits for item in life.faults.all())
        life.faults.clear()
    return "the API server was gone during a refresh"


def _with_fault(life: Life, environment: Environment, created: Fault) -> int:
    life.faults.add(created)
    life.figures["faults"] += 1
    done = life.ended(life.engines.atwork("sandbox", "up", environment.name), code=None)
    hits = sum(item.hits for item in life.faults.all())
    life.faults.clear()
    life.figures["faults hit"] += hits
    life.recovered(environment, done)
    bad = hits > 0 and created.effect is not Effect.slow
    if bad != bool(done.code) or (bad and created.message not in done.printed):
        raise Disagreement(f"{describe(created)}: hit {hits} time(s), ended with {done.code}:\n{done.printed[-3000:]}")
    environment.up = environment.up or not bad
    return hits


def refresh(life: Life, environment: Environment) -> str:
    """Plant secrets, then let the engine read everything."""
    life.plant(environment)
    life.ended(life.engines.pulumi("refresh", "-s", environment.name, "--yes", "--skip-preview"))
    environment.behind.clear()
    return "secrets were filled in"


def drift(life: Life, environment: Environment) -> str:
    """Change an object behind Pulumi's back; `up --refresh` puts it right."""
    pool = life.chance.choice(_there(life, environment, NODE_POOL))
    life.ended(
        life.engines.atwork("sandbox", "drift", environment.name, pool.urn, "autoscaling.totalMaxNodeCount", "50")
    )
    life.figures["changes behind"] += 1
    _put_right(life, environment)
    return f"{name_of(pool.urn)} had 50 nodes"


def lost(life: Life, environment: Environment) -> str:
    """Delete an object behind Pulumi's back; `up --refresh` makes it again."""
    safe = (
        PROJECT_MEMBER,
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    )
    gone = life.chance.choice(_there(life, environment, *safe))
    life.ended(life.engines.atwork("sandbox", "drift", environment.name, gone.urn, "--delete"))
    life.figures["changes behind"] += 1
    _put_right(life, environment)
    return f"{name_of(gone.urn)} was deleted"


def _there(life: Life, environment: Environment, *types: str) -> list[CloudObject]:
    """Objects of some types, by id; an environment whose first update was canceled may have none, and is updated."""

    def matching() -> list[CloudObject]:
        return sorted((item for item in life.objects(environment) if item.type in types), key=lambda item: item.id)

    if not matching():
        life.up(environment)
    return matching()


def _put_right(life: Life, environment: Environment) -> None:
    life.ended(life.engines.pulumi("up", "-s", environment.name, "--yes", "--skip-preview", "--refresh"))
    environment.behind.clear()


def together(life: Life, environment: Environment) -> str:
    """Three at once on the same stack: one works, the others report who, and how to get the lock."""
    changed = life.change(environment, grow=True)
    first = life.engines.atwork("sandbox", "up", environment.name)
    if not first.until(lambda: bool(violence.locks_of(life, environment))):
        raise Disagreement(f"an `up` took no lock:\n{first.ended().printed[-2000:]}")
    with first.held() as held:
        in_time = held and bool(violence.locks_of(life, environment))
        if in_time:
            life.ended(
                life.engines.atwork("sandbox", "up", environment.name),
                code=1,
                holding="is at work; wait for it",  # the message of the lock
            )
            words = ("--yes", "--skip-preview")
            life.ended(life.engines.pulumi("up", "-s", environment.name, *words), code=1, holding="pulumi cancel")
    life.ended(first)
    environment.up = True
    return f"{changed}, {'three at once' if in_time else 'done before the others came'}"


def beside(life: Life, environment: Environment) -> str:
    """Two at once on different stacks: both succeed."""
    both = [item for item in life.environments if not item.cut_off]
    reported = [life.change(item) for item in both]
    words = ("--yes", "--skip-preview")
    started = [life.engines.pulumi("up", "-s", item.name, *words) for item in both]
    for item, command in zip(both, started, strict=True):
        life.ended(command)
        item.up = True
    del environment
    return f"{', '.join(reported)}, each stack by an engine of its own"


def down(life: Life, environment: Environment) -> str:
    """Destroy, and find nothing of it in the cloud."""
    life.ended(life.engines.atwork("sandbox", "down", environment.name), holding="Nothing is left.")
    left = [item.urn for item in life.objects(environment)]
    if left:
        raise Disagreement(f"after a destroy there is still {', '.join(left)}")
    environment.up = False
    environment.behind.clear()
    return "nothing is left"


def repair(life: Life, environment: Environment) -> str:
    """Up, after whatever came before."""
    began = time.monotonic()
    life.up(environment)
    return f"repaired in {time.monotonic() - began:.0f} s"


REPAIR = Action("repair", 6, repair, needs_up=False, takes_cut_off=True)
ACTIONS = (
    Action("change", 5, change, needs_up=False),
    Action("no change", 1, no_change),
    Action("fault", 7, fault, needs_up=False),
    Action("no API server", 1, unreachable),
    Action("refresh", 2, refresh),
    Action("drift", 2, drift),
    Action("lost object", 1, lost),
    Action("same stack", 2, together, needs_up=False),
    Action("other stack", 2, beside),
    Action("destroy", 1, down),
    REPAIR,
    Action("kill all", 4, violence.kill_all, needs_up=False, takes_cut_off=True),
    Action("kill engine", 3, violence.kill_engine, needs_up=False, takes_cut_off=True),
    Action("kill provider", 3, violence.kill_provider, needs_up=False, takes_cut_off=True),
    Action("Ctrl-C", 3, violence.cancel, needs_up=False),
    Action("lock", 2, violence.lock, needs_up=False, takes_cut_off=True),
)
