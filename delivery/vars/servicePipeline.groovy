/**
 * The pipeline of every service: its Jenkinsfile is `@Library('platform') _` and
 * `servicePipeline(name: 'orders', stores: ['postgres', 'redis'])`.
 *
 * Preflight → Build → Test → Push → Chart → Deploy. A pull request ends after Test, or with `preview: true` goes on to
 * Chart → Preview; the main branch goes on to one environment after another, and an environment with approvers asks one of
 * them. Each stage that runs something has a pod of its own.
 *
 * name       as in services/NAME.yaml
 * stores     data stores that the tests start: postgres, redis, mysql
 * channel    Slack channel, where it is not the default one
 * context    folder of the repository that holds Dockerfile, Makefile and chart/
 * workdir    folder inside the image that holds the Makefile
 * minutes    when a build that hangs is ended
 * main       the branch that is released
 * preview    whether a build of a pull request runs in a preview namespace for some days, with stores of its own
 * deploys    environments in the order of their deploys, by default all that releases reach, test before production; the
 *            build waits for all but the last
 */
def call(Map given) {
    Map service = settings(given)
    boolean release = env.BRANCH_NAME == service.main
    properties([
        buildDiscarder(logRotator(numToKeepStr: '50')),
        disableConcurrentBuilds(abortPrevious: !release),
    ])
    Map thread = slack.open(service.channel, "${service.name} ${env.BRANCH_NAME} #${env.BUILD_NUMBER}")
    // What a stage learns, for the ones after it; the name of the stage that is under way, for whoever reads of its end.
    Map run = [stage: 'Preflight']
    try {
        timeout(time: service.minutes, unit: 'MINUTES') {
            buildAndPush(service, run, release)
        }
        if (release) {
            deploy(service, run, thread)
        }
        if (service.preview && env.CHANGE_ID) {
            deployPreview(service, run, thread)
        }
        slack.good(thread, release ? "${run.version} is released" : "builds and passes its tests${run.preview ?: ''}")
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        currentBuild.result = 'ABORTED'
        slack.warn(thread, "was stopped at ${run.stage}")
        throw interruption
    } catch (Exception failure) {
        currentBuild.result = 'FAILURE'
        slack.bad(thread, "failed at ${run.stage}: ${failure.message}")
        throw failure
    }
}

private void buildAndPush(Map service, Map run, boolean release) {
    agents.build {
        stage('Preflight') {
            checkout scm
            run.version = guidelines.check(service)
        }
        run.stage = 'Build'
        stage('Build') {
            registry.login()
            run.image = image.build(service, run.version, 'runtime')
            run.tests = service.testTarget ? image.build(service, "${run.version}-test", service.testTarget) : run.image
        }
    }
    run.stage = 'Test'
    stage('Test') {
        agents.test(service, run.tests) {
            try {
                container('app') {
                    sh "make -C '${service.workdir}' test REPORTS=\"\$WORKSPACE/reports\""
                }
            } finally {
                junit testResults: 'reports/**/*.xml', allowEmptyResults: true
            }
        }
    }
    if (release) {
        push(service, run)
    }
}

private void push(Map service, Map run) {
    run.stage = 'Push'
    agents.build {
        stage('Push') {
            checkout scm
            registry.login()
            image.promote(service, run.image, run.version)
        }
        run.stage = 'Chart'
        stage('Chart') {
            chart.publish(service, run.image, run.version)
        }
    }
}

/** Deploy the build to a preview namespace. A build does not fail when all are taken: its tests have passed. */
private void deployPreview(Map service, Map run, Map thread) {
    run.stage = 'Chart'
    agents.build {
        stage('Chart') {
            checkout scm
            registry.login()
            chart.propose(service, run.image, run.version)
        }
    }
    run.stage = 'Preview'
    stage('Preview') {
        def ended = build(job: "/platform/${service.name}/preview", parameters: handed(run, thread), wait: true, propagate: false)
        if (ended.result == 'NOT_BUILT') {
            slack.warn(thread, "has no preview namespace: ${ended.description}")
        } else if (ended.result != 'SUCCESS') {
            error("the preview did not start: ${ended.absoluteUrl}")
        } else {
            run.preview = "; ${ended.description}".toString()
        }
    }
}

/** What a job of the platform is told. */
private List handed(Map run, Map thread) {
    return [string(name: 'VERSION', value: run.version), string(name: 'THREAD', value: thread.id ?: '')]
}

/** Every environment has a job that only the platform writes; the last one is not waited for, it may ask a person. */
private void deploy(Map service, Map run, Map thread) {
    for (int i = 0; i < service.deploys.size(); i++) {
        String environment = service.deploys[i]
        run.stage = "Deploy ${environment}"
        stage(run.stage) {
            build(
                job: "/platform/${service.name}/${environment}",
                parameters: handed(run, thread),
                wait: i < service.deploys.size() - 1
            )
        }
    }
}

/** The settings with their defaults; what is not known is refused, for a typo would be a silent default. */
private Map settings(Map given) {
    Map known = [
        name: null, stores: [], channel: '', context: '.', workdir: '/app', minutes: 60, main: 'main',
        testTarget: 'test', preview: false, deploys: (env.RELEASE_ENVIRONMENTS ?: '').tokenize(','),
    ]
    if (given.containsKey('popup')) {
        error('Jenkinsfile: popup is renamed; write preview instead')
    }
    List unknown = others(given.keySet() as List, known.keySet() as List)
    if (unknown) {
        error("Jenkinsfile: servicePipeline knows no ${unknown.join(', ')}; it takes ${known.keySet().join(', ')}")
    }
    Map service = known + given
    if (!(service.name ==~ /[a-z]([-a-z0-9]{0,38}[a-z0-9])?/)) {
        error("Jenkinsfile: name ${service.name}: say the service's name as in services/NAME.yaml, such as orders")
    }
    List strangers = others(service.stores, stores.names())
    if (strangers) {
        error("Jenkinsfile: stores ${strangers.join(', ')}: there are ${stores.names().join(', ')}")
    }
    return service
}

@NonCPS
private List others(List given, List known) {
    return given.findAll { !known.contains(it) }.sort()
}
