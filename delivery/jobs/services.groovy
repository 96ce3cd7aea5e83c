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
    orphanedItemStrategy {
        discardOldItems { numToKeep(20) }
    }
}
