"""The jobs of this repository itself, as Job DSL: its Jenkinsfile in pull requests, and on the main branch.

A pull request brings a Jenkinsfile of its own, so that its folder may use the cloud that reads stacks and no other.
What changes stacks is in a second folder, whose jobs run the main branch. Neither is inside the other: what a folder
may use, all folders inside it may.
"""

from __future__ import annotations

from components.delivery import PlatformSource
from components.jenkins import names
from components.jenkins.jobs import permitted, quoted, schedule

PREVIEWS = "platform-previews"
CHANGES = "platform-changes"
_PREVIEWS_DESCRIPTION = "What a pull request does to every environment; reads, and changes nothing"
_CHANGES_DESCRIPTION = "What changes the environments; runs the main branch alone"

_PUSH = """\
  properties {
    disableConcurrentBuilds()
    pipelineTriggers { triggers { githubPush() } }
  }
"""


def own(source: PlatformSource, main: str, credential: str) -> str:
    """Both folders with their jobs. The Jenkinsfile selects its stages by the job's name."""
    jobs = {
        "update": ("Updates all environments, one stage after another, with what was merged", _PUSH),
        "drift": ("Tells what changed behind Pulumi's back", schedule("H 3 * * *")),
        "reap": ("Destroys ephemeral environments that have expired", schedule("H * * * *")),
    }
    return "".join(
        [
            _folder(PREVIEWS, _PREVIEWS_DESCRIPTION, [names.PREVIEW_CLOUD]),
            _pull_requests(source, credential),
            _folder(CHANGES, _CHANGES_DESCRIPTION, list(names.PLATFORM_CLOUDS)),
            *(_job(source, main, credential, name, about, when) for name, (about, when) in jobs.items()),
        ]
    )


def _folder(name: str, about: str, clouds: list[str]) -> str:
    return f"""\
folder('{name}') {{
  description({quoted(about)})
{permitted(clouds)}}}
"""


def _pull_requests(source: PlatformSource, credential: str) -> str:
    """Pull requests of branches of the repository, not of forks, as their authors pushed them."""
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


def _job(source: PlatformSource, main: str, credential: str, name: str, about: str, when: str) -> str:
    return f"""\
pipelineJob('{CHANGES}/{name}') {{
  description({quoted(about)})
  logRotator {{ numToKeep(100) }}
{when}  definition {{
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
