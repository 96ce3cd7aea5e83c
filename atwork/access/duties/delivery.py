"""The duties of delivery: builds push candidates, which are released, and an account of each environment deploys them.

Builds and deploys run in pods of Jenkins, or in another CI system under the identities that the settings name.
"""

from __future__ import annotations

from collections.abc import Iterator

from atwork.access.duties.methods import (
    ATTACH,
    ATTEST,
    FIND_CLUSTER,
    GET_TOKEN,
    PULL,
    PUSH,
    READ_ATTESTATIONS,
    SIGN,
)
from atwork.access.duties.model import Duty, EnvironmentFacts, duty
from atwork.access.pods import PodAccount
from components import access, attestor, release_signing
from components.delivery import deployer_key, preview_key
from components.jenkins import names


def builds(environment: EnvironmentFacts) -> Iterator[Duty]:
    """Builds push candidates and caches, and pull base images."""
    for builder in _builders(environment):
        for name in ("candidates", "cache"):
            yield duty(builder, "push candidates and caches", PUSH, environment.repository(name))
        yield duty(builder, "pull base images", PULL, environment.repository("docker-hub"))


def releases(environment: EnvironmentFacts) -> Iterator[Duty]:
    """Promote jobs of Jenkins, or the builders of another CI system, write the released images and charts."""
    config = environment.config
    for builder in () if config.external_ci is None else config.external_ci.builders.values():
        yield from _release(environment, builder)
    if config.jenkins is None or names.PROMOTE_CLOUD not in config.jenkins.targets():
        return
    account = PodAccount(config.project.id, names.target_namespace(names.PROMOTE_CLOUD), names.DEPLOY_ACCOUNT)
    yield duty(account.identity, "read candidates", PULL, environment.repository("candidates"))
    yield from _release(environment, account.identity)
    if config.release_signing is not None:
        yield duty(account.identity, "sign releases", SIGN, environment.keys[f"{release_signing.KEY}-{config.region}"])
        yield duty(account.identity, "create attestations", ATTEST, environment.project)
        for note in (release_signing.RELEASES_NOTE, release_signing.PROVENANCE_NOTE):
            yield duty(account.identity, "attach attestations", ATTACH, f"{environment.project}/notes/{note}")


def _release(environment: EnvironmentFacts, identity: str) -> Iterator[Duty]:
    for name in ("services", "charts"):
        yield duty(identity, "release images and charts", PUSH, environment.repository(name))


def deploys(environment: EnvironmentFacts, upstream: EnvironmentFacts) -> Iterator[Duty]:
    """Identities of the upstream environment act as the accounts that deploy in this environment."""
    deployers = {"deployer": (deployer_key(environment.name), access.CHARTS)}
    if environment.config.preview_namespaces is not None:
        deployers["preview-namespaces"] = (preview_key(environment.name), access.CANDIDATES)
    for role, (key, charts) in deployers.items():
        account = environment.account(f"platform-{role}")
        email = account.removeprefix("serviceAccount:")
        identity = _deployer(upstream, key, email)
        yield duty(identity, f"act as {email}", GET_TOKEN, f"{environment.project}/serviceAccounts/{email}")
        yield duty(account, "reach the cluster", FIND_CLUSTER, environment.project)
        yield duty(account, "pull charts", PULL, upstream.repository(charts))
    if environment.config.attested:
        note = f"{upstream.project}/notes/{release_signing.RELEASES_NOTE}"
        yield duty(environment.agents[attestor.AGENT], "read attestations", READ_ATTESTATIONS, note)


def _builders(environment: EnvironmentFacts) -> Iterator[str]:
    config = environment.config
    if config.external_ci is not None:
        yield from config.external_ci.builders.values()
    if config.jenkins is not None:
        yield PodAccount(config.project.id, names.AGENTS_NAMESPACE, names.AGENT_ACCOUNT).identity


def _deployer(upstream: EnvironmentFacts, key: str, email: str) -> str:
    """The identity that deploys with the rights of an account, by `deployer_key` or `preview_key`."""
    config = upstream.config
    if config.external_ci is not None:
        return config.external_ci.identities()[key]
    return PodAccount(config.project.id, names.target_namespace(key), names.DEPLOY_ACCOUNT, email).principal
