"""The jobs of this repository itself, as Job DSL: its Jenkinsfile in pull requests, and on the main branch.

A pull request may change its Jenkinsfile, so its folder may only use the cloud that reads stacks. The jobs that change
stacks are in a second folder and run the main branch. Neither folder contains the other, because folders inherit the
clouds of the folder above them.
"""

from __future__ import annotations

from components.delivery import PlatformSource
from components.jenkins import names
from components.jenkins.job_dsl import permitted, quoted, schedule

PREVIEWS = "platform-previews"
CHANGES = "platform-changes"
_PREVIEWS_DESCRIPTION = "Previews of pull requests for every environment; they change nothing"
_CHANGES_DESCRIPTION = "Jobs that change the environments; they run only the main branch"

_PUSH = """\
  properties {
    disableConcurrentBuilds()
    pipelineTriggers { triggers { githubPush() } }
  }
"""


def own(source: PlatformSource, main: str, credential: str) -> str:
    """Both folders with their jobs. The Jenkinsfile selects its stages by the job's name."""
    jobs = {
        "update": ("Updates all environments to the main branch, one stage after another", _PUSH),
        "drift": ("Reports what changed outside Pulumi", schedule("H 3 * * *")),
        "reap": ("Destroys ephemeral environments that have expired", schedule("H * * * *")),
    }
    return "".join(
        [
            _folder(PREVIEWS, _PREVIEWS_DESCRIPTION, [names.PREVIEW_CLOUD]),
            _pull_requests(source, credential),
            _folder(CHANGES, _CHANGES_DESCRIPTION, list(names.PLATFORM_CLOUDS)),
            *(
                _job(source, main, credential, name, description, trigger)
                for name, (description, trigger) in jobs.items()
            ),
        ]
    )


def _folder(name: str, description: str, clouds: list[str]) -> str:
    return f"""\
folder('{name}') {{
  description({quoted(description)})
{permitted(clouds)}}}
"""


def _pull_requests(source: PlatformSource, credential: str) -> str:
    """Pull requests from branches of the repository, not from forks, without a merge into the main branch."""
    return f"""\
multibranchPipelineJob('{PREVIEWS}/stacks') {{
  branchSources {{
    branchSource {{
      source {{
        github {{
          id('{PREVIEWS}')
          repoOwner({quoted(source.organization)})
          repository({quoted(source.name)})
          repositoryUrl({quoted(source.url)})
          configuredByUrl(false)
          credentialsId({quoted(credential)})
          traits {{ gitHubPullRequestDiscovery {{ strategyId(2) }} }}
        }}
      }}
    }}
  }}
  factory {{ workflowBranchProjectFactory {{ scriptPath('Jenkinsfile') }} }}
  orphanedItemStrategy {{ discardOldItems {{ numToKeep(20) }} }}
}}
"""


def _job(source: PlatformSource, main: str, credential: str, name: str, description: str, trigger: str) -> str:
    return f"""\
pipelineJob('{CHANGES}/{name}') {{
  description({quoted(description)})
  logRotator {{ numToKeep(100) }}
{trigger}  definition {{
    cpsScm {{
      scm {{
        git {{
          remote {{
            url({quoted(source.url)})
            credentials({quoted(credential)})
          }}
          branch({quoted(main)})
        }}
      }}
      scriptPath('Jenkinsfile')
    }}
  }}
}}
"""
