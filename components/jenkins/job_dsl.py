"""Parts of Job DSL that the definitions of jobs share."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(text: str) -> str:
    """A Groovy string literal for any text."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def call(function: str, arguments: dict[str, str]) -> str:
    """A pipeline that calls a function of the shared library."""
    named = ", ".join(f"{key}: {quoted(value)}" for key, value in arguments.items())
    return f"@Library('platform') _\n{function}({named})\n"


def pipeline(script: str) -> str:
    """The part of a job that contains its pipeline, which runs in Groovy's sandbox."""
    return f"""\
  definition {{
    cps {{
      script({quoted(script)})
      sandbox(true)
    }}
  }}
"""


def permitted(clouds: Iterable[str]) -> str:
    """The part of a folder that lets its jobs use restricted clouds."""
    nodes = "\n".join(f"    clouds.appendNode('string', {quoted(cloud)})" for cloud in clouds)
    if not nodes:
        return ""
    return f"""\
  configure {{ folder ->
    def permission = folder / 'properties' / 'org.csanchez.jenkins.plugins.kubernetes.KubernetesFolderProperty'
    def clouds = permission.appendNode('permittedClouds')
{nodes}
  }}
"""


def schedule(cron: str) -> str:
    """The part of a job that starts it at fixed times, never twice at the same time."""
    return f"""\
  properties {{
    disableConcurrentBuilds()
    pipelineTriggers {{ triggers {{ cron {{ spec({quoted(cron)}) }} }} }}
  }}
"""
