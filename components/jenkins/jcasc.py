"""Jenkins Configuration as Code, from settings alone.

Traps: the chart passes every script through its template engine, so no script may hold two opening braces; `${name}`
is read from mounted secrets at load. Address, clouds and executors are the chart's to write.
"""

from __future__ import annotations

from typing import Any

import yaml

from components.jenkins.settings import JenkinsSettings


def as_yaml(document: object) -> str:
    """A document as block YAML, keys in the order given."""
    return yaml.safe_dump(document, sort_keys=False, width=4096)


def security_realm() -> str:
    """Login by OpenID Connect; client id and secret are mounted, not written."""
    return as_yaml(
        {
            "oic": {
                "clientId": "${jenkins-oidc-client-id}",
                "clientSecret": "${jenkins-oidc-client-secret}",
                "serverConfiguration": {
                    "wellKnown": {
                        "wellKnownOpenIDConfigurationUrl": "https://accounts.google.com/.well-known/openid-configuration",
                        "scopesOverride": "openid email profile",
                    }
                },
                "userNameField": "email",
                "fullNameFieldName": "name",
                "emailFieldName": "email",
            }
        }
    )


def authorization(settings: JenkinsSettings) -> str:
    """Named administrators; whoever is logged in reads and builds; nobody is anonymous."""
    entries: list[dict[str, Any]] = [
        {"user": {"name": admin, "permissions": ["Overall/Administer"]}} for admin in settings.admins
    ]
    everybody = ["Overall/Read", "Job/Read", "Job/Build", "Job/Cancel", "View/Read"]
    entries.append({"group": {"name": "authenticated", "permissions": everybody}})
    return as_yaml({"globalMatrix": {"entries": entries}})


def scripts(settings: JenkinsSettings, *, registry_host: str, registry_project: str) -> dict[str, str]:
    """The scripts by name; each is one file that the chart's sidecar loads."""
    made = {
        "library": as_yaml(_library(settings)),
        "hardening": as_yaml(_hardening(registry_host, registry_project)),
        "jobs": as_yaml({"jobs": [{"script": _organization(settings.github_organization)}]}),
    }
    if settings.slack is not None:
        notifier = {
            "teamDomain": settings.slack.team,
            "botUser": True,
            "room": settings.slack.channel,
            "tokenCredentialId": "slack-token",
        }
        made["slack"] = as_yaml({"unclassified": {"slackNotifier": notifier}})
    return made


def _library(settings: JenkinsSettings) -> dict[str, Any]:
    library = {
        "name": "platform",
        "defaultVersion": settings.library.version,
        "implicit": False,
        "allowVersionOverride": True,
        "includeInChangesets": False,
        "retriever": {
            "modernSCM": {
                "libraryPath": settings.library.path,
                "scm": {"git": {"remote": settings.library.repository, "credentialsId": "github-app"}},
            }
        },
    }
    return {"unclassified": {"globalLibraries": {"libraries": [library]}}}


def _hardening(registry_host: str, registry_project: str) -> dict[str, Any]:
    variables = [
        {"key": "REGISTRY_HOST", "value": registry_host},
        {"key": "REGISTRY_PROJECT", "value": registry_project},
    ]
    return {
        "jenkins": {"quietPeriod": 0, "globalNodeProperties": [{"envVars": {"env": variables}}]},
        # Builds run with the rights of who started them, not of the system.
        "security": {
            "queueItemAuthenticator": {
                "authenticators": [{"global": {"strategy": "triggeringUsersAuthorizationStrategy"}}]
            }
        },
    }


def _organization(name: str) -> str:
    """A job-dsl script: every repository of the organisation that holds a Jenkinsfile becomes a job."""
    return f"""\
organizationFolder('services') {{
  organizations {{
    github {{
      repoOwner('{name}')
      credentialsId('github-app')
      traits {{
        gitHubBranchDiscovery {{ strategyId(1) }}
        gitHubPullRequestDiscovery {{ strategyId(1) }}
      }}
    }}
  }}
  projectFactories {{ workflowMultiBranchProjectFactory {{ scriptPath('Jenkinsfile') }} }}
  orphanedItemStrategy {{ discardOldItems {{ numToKeep(20) }} }}
}}
"""
