"""The folder `services` as Job DSL: a job for each repository of the organization with a Jenkinsfile."""

from __future__ import annotations

from components.delivery import PlatformSource
from components.jenkins.job_dsl import quoted
from components.jenkins.jobs import SERVICES


def services(source: PlatformSource, credential: str, *, own_jobs: bool) -> str:
    """The folder; forks are not built. With `own_jobs`, this repository has other jobs and is left out."""
    # The Jenkinsfile of this repository needs clouds that the folder's jobs may not use.
    excluded = (
        f"        sourceWildcardFilter {{ includes('*'); excludes({quoted(source.name)}) }}\n" if own_jobs else ""
    )
    return f"""\
organizationFolder('{SERVICES}') {{
  displayName('Services')
  organizations {{
    github {{
      repoOwner({quoted(source.organization)})
      credentialsId('{credential}')
      traits {{
        gitHubBranchDiscovery {{ strategyId(1) }}
        gitHubPullRequestDiscovery {{ strategyId(1) }}
{excluded}      }}
    }}
  }}
  projectFactories {{
    workflowMultiBranchProjectFactory {{ scriptPath('Jenkinsfile') }}
  }}
  orphanedItemStrategy {{
    discardOldItems {{ numToKeep(20) }}
  }}
}}
"""
