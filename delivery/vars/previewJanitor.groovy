/**
 * The job `platform/preview-janitor`: each hour, empties preview namespaces whose lease has expired or whose pull request
 * is closed. Others stay until their lease expires; one that cannot be emptied fails the job and is tried again an hour later.
 *
 * environment, project, location, cluster, namespaces, hours, repositories (JSON: the repository of each service)
 */
def call(Map job) {
    Map repositories = readJSON(text: job.repositories)
    long now = currentBuild.startTimeInMillis.intdiv(1000)
    List gone = []
    List failed = []
    agents.previews(job.environment) {
        stage('Look') {
            cluster.signIn(job)
        }
        stage('Take away') {
            // Nobody gets a namespace, or more time in one, while it is looked at.
            lock("previews-${job.environment}") {
                List places = previews.look(job)
                for (int i = 0; i < places.size(); i++) {
                    Map place = places[i]
                    String why = reason(place, repositories, now, now + (job.hours as int) * 3600)
                    if (why) {
                        takeAway(job, place, why, gone, failed)
                    }
                }
            }
        }
    }
    currentBuild.description = gone ? gone.join('; ') : 'nothing to take away'
    if (failed) {
        slack.bad(slack.open('', "Preview namespaces of ${job.environment}"), failed.join('; '))
        error(failed.join('; '))
    }
}

/** Why a preview namespace is emptied; nothing where it stays. */
private String reason(Map place, Map repositories, long now, long latest) {
    if (!place.releases) {
        return ''
    }
    Map lease = place.lease ?: [:]
    // What runs in the namespace could have written there; nothing of it is trusted.
    boolean whole = "${lease.service}" ==~ /[a-z][-a-z0-9]{0,39}/ && "${lease.pull}" ==~ /\d{1,9}/ && "${lease.expires}" ==~ /\d{10}/
    if (!whole || (lease.expires as long) > latest) {
        return 'its lease is not one that the platform wrote'
    }
    if ((lease.expires as long) <= now) {
        return "pull request ${lease.pull} of ${lease.service} had its time"
    }
    String repository = repositories[lease.service]
    if (repository && isClosed(repository, lease.pull)) {
        return "pull request ${lease.pull} of ${lease.service} is closed"
    }
    return ''
}

/** Whether GitHub says so; where it says nothing, the preview namespace stays. */
private boolean isClosed(String repository, String pull) {
    String state = ''
    try {
        withCredentials([usernamePassword(credentialsId: env.GITHUB_CREDENTIAL, usernameVariable: 'GITHUB_APP', passwordVariable: 'GITHUB_TOKEN')]) {
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
        echo "GitHub says nothing of ${repository}/pulls/${pull}: ${failure.message}"
    }
    return state == 'closed'
}

private void takeAway(Map job, Map place, String why, List gone, List failed) {
    // A deploy that is under way is not disturbed; the next hour comes.
    lock(resource: "preview-${job.environment}-${place.namespace}", skipIfLocked: true) {
        try {
            previews.clear(place.namespace)
            gone << "${place.namespace}: ${why}".toString()
            echo "${place.namespace} is free: ${why}"
        } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
            throw interruption
        } catch (Exception failure) {
            failed << "${place.namespace} could not be emptied (${failure.message}); ${why}".toString()
        }
    }
}
