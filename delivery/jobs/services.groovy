/**
 * The folder `services`: a job for each repository of the organization with a Jenkinsfile, with a job below it for each
 * branch and pull request. Forks are not built.
 */
import groovy.json.JsonSlurper

Map settings = new JsonSlurper().parseText(ATWORK_JOBS).services

organizationFolder(settings.name) {
    displayName('Services')
    organizations {
        github {
            repoOwner(settings.organization)
            credentialsId(settings.credential)
            traits {
                gitHubBranchDiscovery { strategyId(1) }
                gitHubPullRequestDiscovery { strategyId(1) }
                if (settings.excluded) {
                    sourceWildcardFilter {
                        includes('*')
                        excludes(settings.excluded)
                    }
                }
            }
        }
    }
    projectFactories {
        workflowMultiBranchProjectFactory { scriptPath('Jenkinsfile') }
    }
    // Without webhooks, and for calls of GitHub that were lost. Children are scanned with the folder.
    triggers { periodicFolderTrigger { interval(settings.scan) } }
    // A scan of a new home builds no branch, so that it deploys nothing again. A branch is built when it changes. A pull
    // request is built when it is found: no plugin can tell one that is new from one that is new to this home.
    buildStrategies {
        skipInitialBuildOnFirstBranchIndexing()
        buildChangeRequests {
            ignoreTargetOnlyChanges(true)
            ignoreUntrustedChanges(false)
        }
    }
    orphanedItemStrategy {
        discardOldItems { numToKeep(20) }
    }
}
