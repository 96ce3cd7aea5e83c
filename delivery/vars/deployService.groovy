/**
 * The job `platform/SERVICE/ENVIRONMENT`, which the platform defines from services/*.yaml: deploys a version of a service
 * to an environment. The job fixes the service and the environment; its caller only chooses the version.
 *
 * service, environment, project, location, cluster, host, channel, source (the job whose builds may start it), repository,
 * approvers
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
                timeout(time: 30, unit: 'MINUTES') {
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
    String name = ''
    stage('Deploy') {
        Map chart = helmRelease.open(job, version)
        name = "${chart.name} ${chart.access}"
        container('helm') {
            sh """\
helm upgrade ${name} './${job.service}' --install --atomic --wait --timeout 10m --history-max 20 \\
  ${chart.values}
"""
        }
    }
    stage('Smoke test') {
        try {
            container('helm') {
                sh "helm test ${name} --timeout 5m"
            }
        } catch (Exception failure) {
            container('helm') {
                // A first release has no earlier release to roll back to.
                sh "helm rollback ${name} --wait --timeout 10m || helm uninstall ${name} --wait"
            }
            error("the smoke test failed and the release before it is back (${failure.message})")
        }
    }
}
