"""Jenkins Configuration as Code, from settings alone.

Traps: the chart passes every script through its template engine, so no script may contain two opening braces.
`${readFile:…}` is read from a mounted file when the script is loaded. The chart writes the address, the clouds and the
executors: if a script also sets them, Jenkins does not start. A mistake in a script only appears in the log of the
reloader, and at the next start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.delivery import PlatformSource
from components.jenkins import credentials, metrics, names, secrets
from components.jenkins.documents import as_yaml
from components.jenkins.job_documents import JobDefinitions, release_jobs
from components.jenkins.registry import Addresses, Images, Signing
from components.jenkins.settings import JenkinsSettings

EVERYBODY = ("Overall/Read", "Job/Read", "Job/Build", "Job/Cancel", "View/Read", "Agent/Build")
"""Rights of everybody who is logged in. Agent/Build: a build that a person starts runs with that person's rights."""


def security_realm(settings: JenkinsSettings) -> str:
    """Login by OpenID Connect, and an account for emergencies in which the provider is down."""
    login = settings.login
    realm: dict[str, Any] = {
        "clientId": secrets.reference(secrets.OIDC_CLIENT_ID),
        "clientSecret": secrets.reference(secrets.OIDC_CLIENT_SECRET),
        "serverConfiguration": {
            "wellKnown": {
                "wellKnownOpenIDConfigurationUrl": login.discovery,
                "scopesOverride": "openid email profile",
            }
        },
        "userNameField": "email",
        "fullNameFieldName": "name",
        "emailFieldName": "email",
    }
    if settings.login_domain is not None:
        realm |= {"tokenFieldToCheckKey": "hd", "tokenFieldToCheckValue": settings.login_domain}
    escape = {
        "username": settings.admin_user,
        "secret": secrets.reference(secrets.ADMIN_PASSWORD),
        "group": names.BREAK_GLASS_GROUP,
    }
    return as_yaml({"oic": {**realm, "properties": [{"escapeHatch": escape}]}})


def authorization(settings: JenkinsSettings) -> str:
    """Named administrators; people who are logged in read, build and cancel; anonymous access is refused."""
    administer = ["Overall/Administer"]
    entries: list[dict[str, Any]] = [
        {"user": {"name": admin, "permissions": administer}} for admin in sorted(settings.admins)
    ]
    entries.append({"group": {"name": names.BREAK_GLASS_GROUP, "permissions": administer}})
    entries.append({"group": {"name": "authenticated", "permissions": list(EVERYBODY)}})
    return as_yaml({"globalMatrix": {"entries": entries}})


def security() -> dict[str, Any]:
    """Values that the chart merges into its own `security` section."""
    return {
        "globalJobDslSecurityConfiguration": {"useScriptSecurity": True},
        # A build that a person starts has that person's rights. A build that a push starts runs as the system, so
        # pods of the system must not reach other environments (docs/adr/0003).
        "queueItemAuthenticator": {
            "authenticators": [{"global": {"strategy": "triggeringUsersAuthorizationStrategy"}}]
        },
    }


def scripts(
    settings: JenkinsSettings,
    addresses: Addresses,
    source: PlatformSource,
    jobs: JobDefinitions,
    environments: Sequence[str] = (),
    signing: Signing | None = None,
) -> dict[str, str]:
    """The scripts by name; the chart's reloader loads each as a file."""
    images = Images(addresses.docker_hub, settings.images)
    documents: dict[str, Any] = {
        "credentials": credentials.script(settings, source),
        "library": _library(settings, source),
        "environment": _environment(settings, addresses, source, images, environments, signing),
        "jobs": release_jobs(settings, source, images, jobs),
        "metrics": metrics.plugin(),
    }
    if settings.slack is not None:
        documents["slack"] = {
            "unclassified": {
                "slackNotifier": {
                    "teamDomain": settings.slack.team,
                    "botUser": True,  # a bot's messages have threads
                    "room": settings.slack.channel,
                    "tokenCredentialId": settings.slack.token_credential,
                }
            }
        }
    if settings.called is not None:
        # GitHub signs its calls, and Jenkins refuses calls without a valid signature.
        hooks = [{"credentialsId": settings.called.webhook_credential}]
        documents["webhook"] = {"unclassified": {"githubpluginconfig": {"hookSecretConfigs": hooks}}}
    return {name: as_yaml(script) for name, script in documents.items()}


def _library(settings: JenkinsSettings, source: PlatformSource) -> dict[str, Any]:
    library = settings.library
    return {
        "unclassified": {
            "globalLibraries": {
                "libraries": [
                    {
                        "name": "platform",
                        "defaultVersion": library.version,
                        "implicit": False,
                        "allowVersionOverride": library.version_override,
                        "includeInChangesets": False,
                        "retriever": {
                            "modernSCM": {
                                "libraryPath": library.path,
                                "scm": {
                                    "git": {
                                        "remote": source.url,
                                        "credentialsId": settings.library_credential,
                                    }
                                },
                            }
                        },
                    }
                ]
            }
        }
    }


def _environment(
    settings: JenkinsSettings,
    addresses: Addresses,
    source: PlatformSource,
    images: Images,
    environments: Sequence[str],
    signing: Signing | None,
) -> dict[str, Any]:
    variables = {
        "REGISTRY_HOST": addresses.host,
        "REGISTRY_PROJECT": addresses.project,
        "CANDIDATES": addresses.candidates,
        "SERVICES": addresses.services,
        "CHARTS": addresses.charts,
        "CACHE": addresses.cache,
        "DOCKER_HUB": addresses.docker_hub,
        "GITHUB_CREDENTIAL": settings.github_credential,
        "REPORTS_CREDENTIAL": settings.reports_credential,
        "RELEASE_ENVIRONMENTS": ",".join(environments),
    }
    if signing is not None:
        variables |= {
            "SIGNING_KEY": signing.key_version,
            "RELEASES_NOTE": signing.releases,
            "PROVENANCE_NOTE": signing.provenance,
        }
    if settings.slack is not None:
        variables["SLACK_CHANNEL"] = settings.slack.channel
    if (platform := settings.platform) is not None:
        variables |= {
            "PLATFORM_REPOSITORY": source.repository,
            "PLATFORM_BACKEND": source.backend,
            "PLATFORM_BOT": platform.bot,
            "PLATFORM_IMAGE": images["pulumi"],
            "PLATFORM_SLACK": platform.slack_webhook or "",
        }
    pairs = [{"key": key, "value": value} for key, value in variables.items()]
    return {"jenkins": {"quietPeriod": 0, "globalNodeProperties": [{"envVars": {"env": pairs}}]}}
