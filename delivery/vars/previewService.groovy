/**
 * The job `platform/SERVICE/preview`, which the platform defines from services/*.yaml: deploys a build of a pull request to
 * a preview namespace, until some hours after the last build. The name of the calling build contains the pull request.
 *
 * service, environment, project, location, cluster, channel, minutes (for pods to become ready), source (the job that may
 * start it), namespaces, hours, stores, host (of a build, with PULL for the number of its pull request), backend and route
 * (JSON of the objects behind it); these three are empty in an environment without hosts for builds
 */
def call(Map job) {
    String version = params.VERSION ?: ''
    Map thread = slack.join(job.channel, params.THREAD ?: '', "preview of ${job.service} ${version}")
    Map run = [stage: 'Preflight', namespace: null, host: '']
    outcome.report(thread, run) {
        String pull = check(job, version)
        long expires = currentBuild.startTimeInMillis.intdiv(1000) + (job.hours as int) * 3600
        agents.previews(job.environment) {
            timeout(time: (job.minutes as int) + 35, unit: 'MINUTES') {
                deploy(job, pull, version, expires, run)
            }
        }
        if (run.namespace) {
            String description = "pull request ${pull} runs in ${run.namespace} of ${job.environment} until ${moment(expires)}"
            if (run.host) {
                currentBuild.description = "${description}: https://${run.host}"
                slack.good(thread, currentBuild.description)
            } else {
                currentBuild.description = description
                slack.good(thread, "${description}, without a URL because ${job.environment} has no gateway with iap: " +
                    "`kubectl --namespace ${run.namespace} port-forward service/${job.service} 8080:80`")
            }
        } else {
            currentBuild.result = 'NOT_BUILT'
            currentBuild.description = "all ${job.namespaces} preview namespaces of ${job.environment} are taken"
            slack.warn(thread, "${currentBuild.description}; close a pull request, or start the build again later")
        }
    }
}

/** Check the version and the caller, a pull request of the service or a person; returns the number of the pull request. */
private String check(Map job, String version) {
    if (!(version ==~ /\d+\.\d+\.\d+-\d+\.g[0-9a-f]{8}/)) {
        error("VERSION '${version}': choose one that a build made, such as 1.4.0-17.g1a2b3c4d")
    }
    String pull = params.PULL ?: ''
    Map caller = callers.check(action: "deploy ${job.service}", pulls: job.source, people: true)
    if (caller) {
        pull = caller.job.substring("${job.source}/PR-".length())
    }
    if (!(pull ==~ /\d{1,9}/)) {
        error("PULL '${pull}': write the number of the pull request")
    }
    return pull
}

private void deploy(Map job, String pull, String version, long expires, Map run) {
    run.stage = 'Lease'
    stage('Lease') {
        registry.login()
        cluster.signIn(job)
        // The lock makes choosing and leasing atomic: two builds never choose the same namespace.
        lock("previews-${job.environment}") {
            run.namespace = previews.lease(job, pull, expires)
        }
    }
    if (run.namespace) {
        lock("preview-${job.environment}-${run.namespace}") {
            run.stage = 'Deploy'
            stage('Deploy') {
                String host = job.host ? job.host.replace('PULL', pull) : ''
                previews.install(job, run.namespace, version, host)
                if (host) {
                    previews.expose(job, run.namespace, pull)
                }
                run.host = host
            }
            run.stage = 'Smoke test'
            stage('Smoke test') {
                previews.test(job, run.namespace)
            }
        }
    }
}

@NonCPS
private String moment(long seconds) {
    return java.time.Instant.ofEpochSecond(seconds).toString()
}
