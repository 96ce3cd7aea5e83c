/**
 * The job `platform/SERVICE/ENVIRONMENT`, which the platform defines from services/*.yaml: deploys a version of a service
 * to an environment. The job fixes the service and the environment; its caller only chooses the version.
 *
 * service, environment, project, location, cluster, host, channel, minutes (for pods to become ready), source (the job whose
 * builds may start it), repository, approvers
 */
def call(Map job) {
    String version = params.VERSION ?: ''
    Map thread = slack.join(job.channel, params.THREAD ?: '', "${job.service} ${version} to ${job.environment}")
    Map run = [stage: 'Preflight']
    outcome.report(thread, run) {
        check(job, version)
        if (job.approvers) {
            run.stopped = 'was not approved; nothing changed'
            run.stage = 'Compare'
            Map change = compare(job, version)
            run.stage = 'Approve'
            approve(job, version, change, thread)
            run.stopped = null
        }
        // An older version that still waits is aborted, and two deploys of a service never overlap.
        milestone()
        run.stage = 'Deploy'
        lock("deploy-${job.environment}-${job.service}") {
            agents.deploy(job.environment) {
                timeout(time: 2 * (job.minutes as int) + 15, unit: 'MINUTES') {
                    release(job, version)
                }
            }
        }
        slack.good(thread, 'is running')
    }
}

/** Refuse a version that is not the version of a build, and a caller that is neither a build of the main branch nor a person. */
private void check(Map job, String version) {
    if (!(version ==~ /\d+\.\d+\.\d+-\d+\.g[0-9a-f]{8}/)) {
        error("VERSION '${version}': choose one that a build released, such as 1.4.0-17.g1a2b3c4d")
    }
    callers.check(action: "deploy ${job.service}", job: job.source, people: true)
}

/** What the deploy changes: [summary, details]. */
private Map compare(Map job, String version) {
    Map change = null
    stage('Compare') {
        agents.deploy(job.environment) {
            timeout(time: 15, unit: 'MINUTES') {
                change = changes.compare(job, version)
            }
        }
        currentBuild.description = change.summary
    }
    return change
}

/** Show what the deploy changes, and wait for an approval, without a pod. */
private void approve(Map job, String version, Map change, Map thread) {
    stage('Approve') {
        slack.warn(thread, "waits for ${job.approvers}: ${env.BUILD_URL}input; ${change.summary}")
        String question = "Deploy ${job.service} ${version} to ${job.environment}?"
        String details = "${change.details}\n${env.BUILD_URL}artifact/change.txt has the changes of the objects"
        timeout(time: 7, unit: 'DAYS') {
            input(message: "${question}\n${change.summary}\n${details}", ok: 'Deploy', submitter: job.approvers)
        }
    }
}

private void release(Map job, String version) {
    Map chart = null
    Map before = null
    stage('Deploy') {
        chart = helmRelease.open(job, version)
        before = helmRelease.deployed(job, chart)
        restoring('the deploy failed', job, chart, before) {
            unlock(job, chart, before)
            helmRelease.await(job.service, """\
helm upgrade ${chart.name} './${job.service}' --install --wait --timeout ${job.minutes}m --history-max 20 \\
  ${chart.values} ${chart.access}""")
        }
    }
    stage('Smoke test') {
        restoring('the smoke test failed', job, chart, before) {
            helmRelease.await(job.service, "helm test ${chart.name} ${chart.access} --timeout 5m")
        }
    }
}

/** A deploy whose pod was lost leaves the release locked. Its lock in Jenkins is released, so nobody works on the release. */
private void unlock(Map job, Map chart, Map before) {
    container('helm') {
        sh """\
set -eu
pending=\$(helm list --pending --short --filter '^${job.service}\$' --namespace '${job.service}' ${chart.access})
if [ -n "\$pending" ]; then
  echo "a deploy of \$pending was interrupted: the release before it comes back first"
  ${restore(job, chart, before)}
fi
"""
    }
}

/** Bring the release before back if the body fails or is stopped. */
private void restoring(String problem, Map job, Map chart, Map before, Closure body) {
    String command = restore(job, chart, before)
    try {
        body()
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        container('helm') {
            sh command
        }
        throw interruption
    } catch (Exception failure) {
        try {
            container('helm') {
                sh command
            }
        } catch (Exception second) {
            error("${problem} (${failure.message}), and the release before it did not come back (${second.message}); deploy ${before?.app_version ?: 'another version'}")
        }
        error("${problem} and ${before ? 'the release before it is back' : 'its release, the first one, is removed'} (${failure.message})")
    }
}

/** The command that brings the release before back, or removes a first release. */
private String restore(Map job, Map chart, Map before) {
    if (before) {
        return "helm rollback ${chart.name} ${before.revision} ${chart.access} --wait --timeout ${job.minutes}m"
    }
    return "helm uninstall ${chart.name} ${chart.access} --wait --ignore-not-found"
}
