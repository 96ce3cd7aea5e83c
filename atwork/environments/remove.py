"""`atwork environment remove`: removes the files of a deleted environment."""

from __future__ import annotations

from rich.console import Console

from atwork.checkout import Checkout, find_checkout
from atwork.engine import choice
from atwork.environments import files
from atwork.environments.lookup import find_environment
from atwork.environments.reap import remove_files
from atwork.errors import BackendError, SandboxError, UsageError
from atwork.github import pull_request
from atwork.github.pull_request import AlreadyThere, Repository


def remove(name: str, *, pr: bool) -> int:
    """Remove the files of an environment that is not up, here or by a pull request."""
    checkout, console = find_checkout(), Console(highlight=False, soft_wrap=True)
    file, config = find_environment(name)
    if config.environment.kind != "ephemeral":
        raise UsageError(f"stacks/{file.name}: {name} is long-lived; `atwork environment destroy {name}` ends it")
    if choice.sandbox_of(checkout).deployment(name).get("resources"):
        raise SandboxError(f"{name} is still up in the sandbox; run `atwork environment destroy {name}` instead")
    if choice.is_remote() and choice.remote(checkout, console).stacks().get(name):
        raise BackendError(f"{name} is still up; run `atwork environment destroy {name}` instead")
    if pr:
        console.print(offer_removal(pull_request.prepared(checkout.root), checkout, name, config.upstream or ""))
        return 0
    remove_files(checkout, name, config.upstream or "")
    console.print(f"removed stacks/{file.name} and its line in stacks/Pulumi.{config.upstream}.yaml")
    return 0


def offer_removal(repository: Repository, checkout: Checkout, name: str, upstream: str) -> str:
    """Open the pull request that removes the files; an open one is unchanged. Returns the message."""
    texts = files.removal(checkout.stacks, name, upstream)
    body = f"`{name}` is destroyed: its state is empty and forgotten. This removes what is left of it in the project.\n"
    try:
        address = repository.offer(f"environment/remove-{name}", f"Remove the environment {name}", body, texts)
    except AlreadyThere:
        return f"{name}: its removal is offered already, on the branch environment/remove-{name}"
    return f"{name}: opened {address}"
