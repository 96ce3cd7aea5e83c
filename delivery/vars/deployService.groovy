/**
 * The job `platform/SERVICE/ENVIRONMENT`, which the platform defines from services/*.yaml: brings one version of one
 * service into one environment. What is deployed where is the job's, not the caller's; a caller chooses the version.
 *
 * service, environment, project, location, cluster, host, channel, source (the job that may ask), approvers
 */
def call(Map job) {
    String version = params.VERSION ?: ''
    Map thread = slack.join(job.channel, params.THREAD ?: '', "${job.service} ${version} to ${job.environment}")
    Map run = [stage: 'Preflight']
    try {
        check(job, version)
        if (job.approvers) {
            run.stage = 'Approve'
            approve(job, version, thread)
        }
        // An older version that still waits is given up, and two deploys of one service never overlap.
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
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        currentBuild.result = 'ABORTED'
        slack.warn(thread, run.stage == 'Approve' ? 'was not approved; nothing changed' : "was stopped at ${run.stage}")
        throw interruption
    } catch (Exception failure) {
        currentBuild.result = 'FAILURE'
        slack.bad(thread, "failed at ${run.stage}: ${failure.message}")
        throw failure
    }
}

/** The version is one that a build made, and who asks is that service's build or a person. */
private void check(Map job, String version) {
    if (!(version ==~ /\d+\.\d+\.\d+-\d+\.g[0-9a-f]{8}/)) {
        error("VERSION '${version}': choose one that a build released, such as 1.4.0-17.g1a2b3c4d")
    }
    List callers = currentBuild.upstreamBuilds
    for (int i = 0; i < callers.size(); i++) {
        String caller = callers[i].fullProjectName
        if (!caller.startsWith("${job.source}/")) {
            error("${caller} may not deploy ${job.service}; builds of ${job.source} may")
        }
    }
}

/** Ask, with no pod held while people think. */
private void approve(Map job, String version, Map thread) {
    stage('Approve') {
        slack.warn(thread, "waits for ${job.approvers}: ${env.BUILD_URL}input")
        timeout(time: 7, unit: 'DAYS') {
            input(message: "Deploy ${job.service} ${version} to ${job.environment}?", ok: 'Deploy', submitter: job.approvers)
        }
    }
}

private void release(Map job, String version) {
    String values = "${job.service}/values-${job.environment}.yaml"
    String reach = '--kubeconfig "$DOCKER_CONFIG/kubeconfig"'
    String name = "'${job.service}' --namespace '${job.service}' ${reach}"
    stage('Deploy') {
        registry.login()
        cluster.signIn(job)
        container('helm') {
            sh "helm pull 'oci://${env.CHARTS}/${job.service}' --version ${version} --untar --registry-config \"\$DOCKER_CONFIG/config.json\""
            sh """\
helm upgrade ${name} './${job.service}' --install --atomic --wait --timeout 10m --history-max 20 \\
  --set-string environment='${job.environment}' --set-string project='${job.project}' \\
  --set-string host='${job.host ?: ''}'${fileExists(values) ? " --values '${values}'" : ''}
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
                // The first release has nothing to go back to.
                sh "helm rollback ${name} --wait --timeout 10m || helm uninstall ${name} --wait"
            }
            error("the smoke test failed and the release before it is back (${failure.message})")
        }
    }
}
