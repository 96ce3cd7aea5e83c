/**
 * The job `platform/preview-janitor`: each hour, empties preview namespaces whose lease has expired or whose pull request
 * is closed. A namespace that cannot be emptied fails the job, which tries again an hour later.
 *
 * environment, project, location, cluster, namespaces, hours, repositories (JSON: the repository of each service), hosts
 * (not empty if builds have hosts)
 */
def call(Map job) {
    Map repositories = readJSON(text: job.repositories)
    long now = currentBuild.startTimeInMillis.intdiv(1000)
    List emptied = []
    List failed = []
    agents.previews(job.environment) {
        stage('Log in') {
            cluster.signIn(job)
        }
        stage('Empty') {
            // While the lock is held, no build gets or extends a lease.
            lock("previews-${job.environment}") {
                List namespaces = previews.list(job)
                for (int i = 0; i < namespaces.size(); i++) {
                    Map current = namespaces[i]
                    String why = reason(current, repositories, now, now + (job.hours as int) * 3600)
                    if (why) {
                        empty(job, current.namespace, why, emptied, failed)
                    }
                }
            }
        }
    }
    currentBuild.description = emptied ? emptied.join('; ') : 'nothing to empty'
    if (failed) {
        slack.bad(slack.open('', "Preview namespaces of ${job.environment}"), failed.join('; '))
        error(failed.join('; '))
    }
}

/** Why a preview namespace is emptied; empty if it stays. */
private String reason(Map current, Map repositories, long now, long latest) {
    if (!current.releases) {
        return ''
    }
    Map lease = current.lease ?: [:]
    // The code in the namespace could have written the lease, so its values are not trusted.
    boolean valid = "${lease.service}" ==~ /[a-z][-a-z0-9]{0,39}/ && "${lease.pull}" ==~ /\d{1,9}/ && "${lease.expires}" ==~ /\d{10}/
    if (!valid || (lease.expires as long) > latest) {
        return 'its lease was not written by the platform'
    }
    if ((lease.expires as long) <= now) {
        return "the lease of pull request ${lease.pull} of ${lease.service} has expired"
    }
    String repository = repositories[lease.service]
    if (repository && isClosed(repository, lease.pull)) {
        return "pull request ${lease.pull} of ${lease.service} is closed"
    }
    return ''
}

/** Whether GitHub reports the pull request as closed; without an answer, the preview namespace stays. */
private boolean isClosed(String repository, String pull) {
    String state = ''
    try {
        withCredentials([usernamePassword(credentialsId: env.REPORTS_CREDENTIAL, usernameVariable: 'GITHUB_APP', passwordVariable: 'GITHUB_TOKEN')]) {
            container('gcloud') {
                state = sh(returnStdout: true, script: """\
set +x
printf 'header = "Authorization: Bearer %s"' "\$GITHUB_TOKEN" | curl --fail --silent --show-error --max-time 30 --config - \\
  '${repository.replace('https://github.com/', 'https://api.github.com/repos/')}/pulls/${pull}' |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])'
""").trim()
            }
        }
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        throw interruption
    } catch (Exception failure) {
        echo "no answer from GitHub about ${repository}/pulls/${pull}: ${failure.message}"
    }
    return state == 'closed'
}

private void empty(Map job, String namespace, String why, List emptied, List failed) {
    // A namespace with a running deploy is left for the next hour.
    lock(resource: "preview-${job.environment}-${namespace}", skipIfLocked: true) {
        try {
            previews.clear(job, namespace)
            emptied << "${namespace}: ${why}".toString()
            echo "${namespace} is free: ${why}"
        } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
            throw interruption
        } catch (Exception failure) {
            failed << "${namespace} could not be emptied (${failure.message}); ${why}".toString()
        }
    }
}
