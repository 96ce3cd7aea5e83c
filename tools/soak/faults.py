"""Commands with injected faults: a fault that is hit fails the command with the message of the fault."""

from __future__ import annotations

from atwork.sandbox.faults.commands import describe
from atwork.sandbox.faults.model import Effect, Fault, Operation
from components.type_tokens import NODE_POOL, PROJECT_MEMBER, SERVICE_ACCOUNT
from tools.soak.life import Disagreement, Life, SoakEnvironment

_TYPES = (
    NODE_POOL,
    PROJECT_MEMBER,
    SERVICE_ACCOUNT,
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    *[""] * 5,
)


def fault(life: Life, environment: SoakEnvironment) -> str:
    """Edit the stack file and update with a random fault; the update fails if and only if the fault is hit."""
    changed = life.change(environment, grow=life.chance.random() < 0.7)
    operation = Operation.update
    if changed.endswith(" added"):
        operation = Operation.create
    elif changed.endswith(" removed"):
        operation = Operation.delete
    effects = [item for item in Effect if item is not Effect.unreachable]
    effect = life.chance.choice(
        [item for item in effects if item is not Effect.partial or operation is not Operation.delete]
    )
    injected = Fault(
        effect=effect,
        operation=operation,
        type=life.chance.choice(_TYPES),
        stack=environment.name,
        nth=life.chance.choice((1, 1, 2, 5)),
        always=life.chance.random() < 0.3,
        seconds=1.0 if effect in (Effect.slow, Effect.hang) else None,
        message="" if effect is Effect.slow else "a fault of the soak",
    )
    hits = _update_with(life, environment, injected)
    return f"{describe(injected)}, {changed}: {f'hit {hits} time(s)' if hits else 'not hit'}"


def _update_with(life: Life, environment: SoakEnvironment, injected: Fault) -> int:
    """Update with a fault and return how often it was hit."""
    life.faults.add(injected)
    life.figures["faults"] += 1
    done = life.ended(life.engines.atwork("sandbox", "up", environment.name), code=None)
    hits = sum(item.hits for item in life.faults.all())
    life.faults.clear()
    life.figures["faults hit"] += hits
    life.recovered(environment, done)
    fails = hits > 0 and injected.effect is not Effect.slow
    if fails != bool(done.code) or (fails and injected.message not in done.printed):
        raise Disagreement(f"{describe(injected)}: hit {hits} time(s), exit code {done.code}:\n{done.printed[-3000:]}")
    environment.up = environment.up or not fails
    return hits


def unreachable(life: Life, environment: SoakEnvironment) -> str:
    """Refresh while the API server is unreachable: the refresh fails, and nothing is lost."""
    life.faults.add(Fault(effect=Effect.unreachable, operation=Operation.any, stack=environment.name, always=True))
    life.figures["faults"] += 1
    try:
        done = life.ended(life.engines.pulumi("refresh", "-s", environment.name, "--yes", "--skip-preview"), code=None)
        needs_server = any(item.type.startswith("kubernetes:") for item in life.objects(environment))
        if needs_server and (not done.code or "configured Kubernetes cluster is unreachable" not in done.printed):
            raise Disagreement(f"a refresh without the API server did not fail:\n{done.printed[-2000:]}")
    finally:
        life.figures["faults hit"] += sum(item.hits for item in life.faults.all())
        life.faults.clear()
    return "the API server was unreachable during a refresh"
