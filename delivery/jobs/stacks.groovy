/**
 * The jobs of the platform's own repository: its Jenkinsfile in pull requests, and on the main branch. The Jenkinsfile
 * selects its stages by the name of the job. A pull request may change it, so its folder may only use the cloud that reads
 * stacks.
 */
import groovy.json.JsonSlurper

Map settings = new JsonSlurper().parseText(ATWORK_JOBS).stacks

// Pull requests from branches of the repository, not from forks, without a merge into the main branch.
multibranchPipelineJob(settings.previews) {
    branchSources {
        branchSource {
            source {
                github {
                    id('platform-previews')
                    repoOwner(settings.organization)
                    repository(settings.repository)
                    repositoryUrl(settings.url)
                    configuredByUrl(false)
                    credentialsId(settings.credential)
                    traits { gitHubPullRequestDiscovery { strategyId(2) } }
                }
            }
        }
    }
    triggers { periodicFolderTrigger { interval(settings.scan) } }
    factory { workflowBranchProjectFactory { scriptPath('Jenkinsfile') } }
    orphanedItemStrategy { discardOldItems { numToKeep(20) } }
}

settings.jobs.each { job ->
    pipelineJob(job.path) {
        description(job.description)
        logRotator { numToKeep(100) }
        properties {
            // Updates run at the same time: one waits for another only if both update the same stack.
            if (job.schedule) {
                disableConcurrentBuilds()
            }
            pipelineTriggers {
                triggers {
                    if (job.schedule) {
                        cron { spec(job.schedule) }
                    } else {
                        githubPush()
                        // Calls of GitHub arrive only through a gateway, and can be lost.
                        pollSCM { scmpoll_spec(settings.poll) }
                    }
                }
            }
        }
        definition {
            cpsScm {
                scm {
                    git {
                        remote {
                            url(settings.url)
                            credentials(settings.library_credential)
                        }
                        branch(settings.main)
                    }
                }
                scriptPath('Jenkinsfile')
            }
        }
    }
}
