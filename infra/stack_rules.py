"""Rules between the parts of one stack file that several sections take part in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.database_administrator import NAMESPACE as DATABASE_RIGHTS
from components.gateway import names
from components.google.memorystore import region_mistake
from components.google.reserved import is_system_namespace
from components.redis import ENDPOINTS, LONGEST_NAME, physical_name
from infra import monitored
from infra.services import LONGEST_NAME as LONGEST_SERVICE

if TYPE_CHECKING:
    from infra.stack import StackConfig

_LONGEST_HOST = 253
"""Characters of a host name (RFC 1035)."""


def check(config: StackConfig) -> None:
    """Raise `ValueError` for the first rule that the settings break."""
    _pools_exist(config)
    _namespaces_are_free(config)
    _tenants_fit(config)
    _preview_namespaces_fit(config)
    _backups_can_be_read(config)
    _own_accounts_are_elsewhere(config)
    _signs_and_attests(config)
    _gateway_fits(config)
    if config.environment.kind == "ephemeral":
        _can_be_destroyed(config)
    for mistake in monitored.mistakes(config):
        raise ValueError(mistake)


def _pools_exist(config: StackConfig) -> None:
    """Pods that choose a node pool that does not exist wait for ever, and pools are in the region of their cluster."""
    for name, settings in config.node_pools.items():
        for zone in settings.zones:
            if not zone.startswith(f"{config.region}-"):
                raise ValueError(
                    f"node_pools.{name}.zones: {zone} is not in region {config.region}; choose one that is"
                )
    for key, pool in config.delivery_pools().items():
        if pool not in config.node_pools:
            raise ValueError(
                f"{key}: there is no node_pools.{pool}; name one of {', '.join(config.node_pools)}, or add it"
            )


def _namespaces_are_free(config: StackConfig) -> None:
    for tenant in filter(is_system_namespace, config.tenants):
        raise ValueError(f"tenants.{tenant}: the namespace belongs to Kubernetes or GKE; choose another name")
    for tenant in config.delivery_namespaces():
        if tenant in config.tenants:
            raise ValueError(f"tenants.{tenant}: the namespace belongs to {config.delivery_key}; choose another name")
    if DATABASE_RIGHTS in config.tenants:
        raise ValueError(f"tenants.{DATABASE_RIGHTS}: the namespace belongs to the databases; choose another name")


def _tenants_fit(config: StackConfig) -> None:
    taken: dict[str, str] = {}
    for database, settings in config.databases.items():
        for key, user in settings.users.items():
            where, who = f"databases.{database}.users.{key}", f"{user.namespace}/{user.service_account}"
            tenant = config.tenants.get(user.namespace)
            if tenant is None or user.service_account not in tenant.accounts:
                raise ValueError(f"{where}: there is no tenants.{user.namespace} with the account {who}; add it")
            if who in taken:
                raise ValueError(f"{where}: {who} logs in as {taken[who]} already; give it an account of its own")
            taken[who] = where
    for key, tenant in config.tenants.items():
        if tenant.redis is not None:
            _redis_fits(key, config)
        if tenant.groups and config.cluster.admin_group is None:
            raise ValueError(f"tenants.{key}: groups have rights only with cluster.admin_group; set it")


def _redis_fits(tenant: str, config: StackConfig) -> None:
    if mistake := region_mistake(config.region):
        raise ValueError(f"tenants.{tenant}.redis: {mistake}")
    if len(tenant) > LONGEST_NAME:
        raise ValueError(
            f"tenants.{tenant}.redis: the account that logs in to it is called {physical_name(tenant)}, which is "
            f"longer than 30 characters; choose a name of at most {LONGEST_NAME}"
        )
    count, room = len(config.redis()), config.network.redis_endpoints
    if config.network.existing is None and count * ENDPOINTS > room:
        raise ValueError(
            f"network.redis_endpoints: {room} are too few for {count} Redis instances with {ENDPOINTS} each; raise it "
            f"to {count * ENDPOINTS} or more"
        )


def _preview_namespaces_fit(config: StackConfig) -> None:
    if config.preview_namespaces is None:
        return
    if config.upstream is None:
        raise ValueError("preview_namespaces needs upstream, whose builds run in them; add upstream, or remove them")
    if config.preview_namespaces.groups and config.cluster.admin_group is None:
        raise ValueError("preview_namespaces.groups have rights only with cluster.admin_group; set it")
    if taken := sorted(set(config.preview_namespaces.names()) & config.tenants.keys()):
        raise ValueError(f"tenants.{taken[0]} has the name of a preview namespace; rename it")


def _own_accounts_are_elsewhere(config: StackConfig) -> None:
    """Updates of a project administer its accounts, so those that change all environments are in the admin project."""
    platform = None if config.jenkins is None else config.jenkins.platform
    if platform is None:
        return
    for key, target in platform.targets().items():
        if target.account is not None and target.account.endswith(f"@{config.project.id}.iam.gserviceaccount.com"):
            raise ValueError(
                f"jenkins.platform.{key}.account: {target.account} is in the project of this stack; whoever updates "
                "the stack could act as it, so create it in the admin project (stacks/platform.yaml)"
            )


def _signs_and_attests(config: StackConfig) -> None:
    """Jenkins' promote job signs, and environments that run its releases look for the signatures."""
    if config.release_signing is not None and (config.jenkins is None or not config.jenkins.deploys):
        raise ValueError("release_signing needs jenkins.deploys, whose promote job signs; add them, or remove it")
    if config.attested and config.upstream is None:
        raise ValueError(
            f"binary_authorization.attestation: {config.binary_authorization.attestation} needs upstream, which signs "
            "what runs here; set it in the environments that run releases, and remove it here"
        )


def _gateway_fits(config: StackConfig) -> None:
    if config.gateway is not None and names.NAMESPACE in config.tenants:
        raise ValueError(f"tenants.{names.NAMESPACE}: the namespace belongs to gateway; choose another name")
    if config.gateway is not None and config.preview_domain is not None:
        longest = names.longest_preview_host(LONGEST_SERVICE, config.gateway.domain)
        if longest > _LONGEST_HOST:
            raise ValueError(
                f"gateway.domain: hosts of preview namespaces would have {longest} characters, and DNS allows "
                f"{_LONGEST_HOST}; choose a domain of at most {len(config.gateway.domain) - longest + _LONGEST_HOST}"
            )
    _internal_gateway_fits(config)
    _jenkins_is_reached(config)
    _proxy_has_its_own_secret(config)


def _jenkins_is_reached(config: StackConfig) -> None:
    """Jenkins behind the environment's own Gateway needs what that says of people and of GitHub's calls."""
    jenkins = config.jenkins
    if jenkins is None or jenkins.gateway is None or not jenkins.gateway.own:
        return
    if config.gateway is None:
        raise ValueError("jenkins.gateway: the stack has no gateway; add gateway, or name one with name and namespace")
    if mistake := config.gateway.mistake(jenkins.hostname):
        raise ValueError(f"jenkins.hostname: {mistake}")
    inside = config.gateway.internal is not None
    if inside != jenkins.gateway.internal:
        raise ValueError(
            "jenkins.gateway.internal: the stack's gateway is internal, so that no call of GitHub arrives; write true, "
            "and Jenkins asks for pushes"
            if inside
            else "jenkins.gateway.internal: the stack's gateway is not internal; remove it, or add gateway.internal"
        )
    if inside:
        return
    if config.gateway.iap is None:
        raise ValueError("jenkins.gateway: nobody is admitted; add gateway.iap with groups")
    if config.gateway.waf is None:
        raise ValueError("jenkins.gateway: GitHub's calls come without a login; remove gateway.waf: null")


def _proxy_has_its_own_secret(config: StackConfig) -> None:
    """Bootstrap creates the secret of the proxy's client, so that it is no secret that the program or Jenkins has."""
    if config.iap_client is None:
        return
    others = [secret.name for secret in config.expected_secrets()]
    if others.count(secret := config.iap_client.secret) > 1:
        raise ValueError(
            f"gateway.iap.client.secret: {secret} is the name of another secret of the project; choose another, such "
            "as iap-client-secret"
        )


def _internal_gateway_fits(config: StackConfig) -> None:
    """An internal load balancer sends requests to pods from a subnet of its own."""
    if config.gateway is not None and config.gateway.internal is not None and config.network.proxies is None:
        raise ValueError(
            "gateway.internal: its load balancer needs a proxy-only subnet; add network.proxies with a free range, a "
            "/26 or larger"
        )


def _backups_can_be_read(config: StackConfig) -> None:
    """Backups of volumes stay encrypted with the disks' key, which is lost with the cluster's region.

    https://cloud.google.com/kubernetes-engine/docs/add-on/backup-for-gke/concepts/about-cmek (orig_disk_key)
    """
    backup = config.cluster_backup
    if backup is None or backup.location == config.region or "disks" not in config.encryption.covers:
        return
    holders = [
        f"tenants.{key}.size.quota.volumes" for key, tenant in config.tenants.items() if tenant.size.quota.volumes
    ]
    holders += [config.delivery_key] if config.delivery_key and config.delivery_volumes else []
    if holders:
        raise ValueError(
            f"{holders[0]}: volumes and their backups rest under the disks' key of {config.region}, and a backup in "
            f"{backup.location} could not be read without that region; set cluster_backup.location to "
            f"{config.region}, or leave disks out of encryption.covers"
        )


def _can_be_destroyed(config: StackConfig) -> None:
    guarded = ["cluster"] if config.cluster.deletion_protection else []
    guarded += ["registry"] if config.registry is not None and config.registry.deletion_protection else []
    guarded += [f"databases.{key}" for key, value in config.databases.items() if value.deletion_protection]
    guarded += [f"node_pools.{key}" for key, value in config.node_pools.items() if value.deletion_protection]
    if guarded:
        raise ValueError(f"an ephemeral environment must be destroyable; set {guarded[0]}.deletion_protection to false")
    if config.delivery_secrets():
        raise ValueError(
            "an ephemeral environment has no jenkins: its secrets stand before the project does; leave it out"
        )
    if config.attested:
        raise ValueError(
            "an ephemeral environment has no attestor: its project and its rights end with it; remove "
            "binary_authorization.attestation"
        )
    if config.network.existing is not None:
        raise ValueError(
            "an ephemeral environment creates its project, where no network exists and which is no service project of "
            "a Shared VPC: leave network.existing out, and it creates its own"
        )
    if config.gateway is not None:
        raise ValueError(
            "an ephemeral environment has no gateway: the delegation of its domain would stay; leave gateway out, and "
            "use port-forwarding"
        )
    if config.encryption.covers:
        raise ValueError(
            "an ephemeral environment must leave nothing: set encryption.covers to []; keys can never be deleted"
        )
    if config.cluster_backup is not None and config.cluster_backup.lock_days > 0:
        raise ValueError(
            "an ephemeral environment must be destroyable; set cluster_backup.lock_days to 0, or leave backups out"
        )
