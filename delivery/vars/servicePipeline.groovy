/**
 * The pipeline of every service: its Jenkinsfile is `@Library('platform') _` and
 * `servicePipeline(name: 'orders', stores: ['postgres', 'redis'])`.
 *
 * Preflight → Build → Test → Chart → Promote → Deploy. A pull request ends after Test, or with `preview: true` continues
 * with Chart → Preview. The main branch of services/NAME.yaml is released and deployed to one environment after another; an
 * environment with approvers waits for an approval. Each stage with commands has its own pod. Build pods only write
 * candidates: jobs of the platform release and deploy them, and accept only builds of that branch.
 *
 * name       as in services/NAME.yaml
 * stores     data stores that the tests start: postgres, redis, mysql
 * channel    Slack channel, if it is not the default channel
 * context    folder of the repository that contains Dockerfile and Makefile
 * chart      folder of the Helm chart, below context
 * workdir    folder inside the image that contains the Makefile
 * minutes    time limit of the build
 * preview    whether a build of a pull request runs in a preview namespace for some days, with its own stores
 * deploys    environments in the order of their deploys, by default all that releases reach, test before production; the
 *            build waits for all but the last
 */
def call(Map arguments = [:]) {
    Map service = settings(arguments)
    String released = releases.job(service.name)
    boolean release = released && env.JOB_NAME == released
    properties([
        buildDiscarder(logRotator(numToKeepStr: '50')),
        disableConcurrentBuilds(abortPrevious: !release),
    ])
    Map thread = slack.open(service.channel, "${service.name} ${env.BRANCH_NAME} #${env.BUILD_NUMBER}")
    // Results of stages for later stages, and the name of the current stage for messages.
    Map run = [stage: 'Preflight']
    outcome.report(thread, run) {
        timeout(time: service.minutes, unit: 'MINUTES') {
            buildAndPush(service, run, release)
        }
        if (release) {
            promote(service, run)
            deploy(service, run, thread)
        }
        if (service.preview && env.CHANGE_ID) {
            deployPreview(service, run, thread)
        }
        if (!released) {
            slack.warn(thread, "has no services/${service.name}.yaml on the platform, so that nothing is released")
        }
        slack.good(thread, release ? "${run.version} is released" : "builds and passes its tests${run.preview ?: ''}")
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
        inBuildPod(run, [Chart: { run.chart = chart.propose(service, run.image, run.version, env.SERVICES) }])
    }
}

/** Run stages in a new build pod, with the sources and logged in to the registry. */
private void inBuildPod(Map run, Map stages) {
    List names = stages.keySet() as List
    run.stage = names[0]
    agents.build {
        for (int i = 0; i < names.size(); i++) {
            run.stage = names[i]
            Closure body = stages[names[i]]
            stage(names[i]) {
                if (i == 0) {
                    checkout scm
                    registry.login()
                }
                body()
            }
        }
    }
}

/** Deploy the build to a preview namespace. The build does not fail if all are taken, because its tests have passed. */
private void deployPreview(Map service, Map run, Map thread) {
    inBuildPod(run, [Chart: { chart.propose(service, run.image, run.version, env.CANDIDATES) }])
    run.stage = 'Preview'
    stage('Preview') {
        def preview = build(job: "/platform/${service.name}/preview", parameters: parametersOf(run, thread), wait: true, propagate: false)
        if (preview.result == 'NOT_BUILT') {
            slack.warn(thread, "has no preview namespace: ${preview.description}")
        } else if (preview.result != 'SUCCESS') {
            error("the preview did not start: ${preview.absoluteUrl}")
        } else {
            run.preview = "; ${preview.description}".toString()
        }
    }
}

/** Release the candidates of this build, which only the platform may do. */
private void promote(Map service, Map run) {
    run.stage = 'Promote'
    stage('Promote') {
        platformJob(service, 'promote', [
            string(name: 'VERSION', value: run.version),
            string(name: 'IMAGE', value: run.image.split('@')[1]),
            string(name: 'CHART', value: run.chart),
        ])
    }
}

/** Run a job of the platform to its end. Without this, Jenkins reports a job that failed as an interruption of this build. */
private void platformJob(Map service, String name, List parameters) {
    def finished = build(job: "/platform/${service.name}/${name}", parameters: parameters, wait: true, propagate: false)
    if (finished.result != 'SUCCESS') {
        error("${name} ended with ${finished.result}${finished.description ? ": ${finished.description}" : ''} (${finished.absoluteUrl})")
    }
}

/** The parameters of a job of the platform. */
private List parametersOf(Map run, Map thread) {
    return [string(name: 'VERSION', value: run.version), string(name: 'THREAD', value: thread.id ?: '')]
}

/** Start the job of each environment. The build does not wait for the last job, which may wait for an approval. */
private void deploy(Map service, Map run, Map thread) {
    for (int i = 0; i < service.deploys.size(); i++) {
        String environment = service.deploys[i]
        run.stage = "Deploy ${environment}"
        stage(run.stage) {
            if (i < service.deploys.size() - 1) {
                platformJob(service, environment, parametersOf(run, thread))
            } else {
                build(job: "/platform/${service.name}/${environment}", parameters: parametersOf(run, thread), wait: false)
            }
        }
    }
}

/** The settings with their defaults. Unknown settings are refused, because a typo would silently use a default. */
private Map settings(Map arguments) {
    Map known = [
        name: null, stores: [], channel: '', context: '.', chart: 'chart', workdir: '/app', minutes: 60,
        testTarget: 'test', preview: false, deploys: (env.RELEASE_ENVIRONMENTS ?: '').tokenize(','),
    ]
    if (arguments.containsKey('popup')) {
        error('Jenkinsfile: `popup` is renamed; write preview instead')
    }
    if (arguments.containsKey('main')) {
        error("Jenkinsfile: the released branch is `main_branch` in services/${arguments.name}.yaml of the platform; remove main")
    }
    List unknown = others(arguments.keySet() as List, known.keySet() as List)
    if (unknown) {
        error("Jenkinsfile: servicePipeline knows no ${unknown.join(', ')}; it takes ${known.keySet().join(', ')}")
    }
    List mistyped = mistyped(arguments)
    if (mistyped) {
        error("Jenkinsfile: ${mistyped.join('; ')}")
    }
    Map service = known + arguments
    service.stores = service.stores.unique(false)
    if (!(service.name ==~ /[a-z]([-a-z0-9]{0,38}[a-z0-9])?/)) {
        error("Jenkinsfile: name ${service.name}: say the service's name as in services/NAME.yaml, such as orders")
    }
    List environments = (env.RELEASE_ENVIRONMENTS ?: '').tokenize(',')
    List unknownEnvironments = others(service.deploys, environments)
    if (unknownEnvironments) {
        error("Jenkinsfile: deploys ${unknownEnvironments.join(', ')}: there are ${environments.join(', ')}")
    }
    List unknownStores = others(service.stores, stores.names())
    if (unknownStores) {
        error("Jenkinsfile: stores ${unknownStores.join(', ')}: there are ${stores.names().join(', ')}")
    }
    return service
}

/** Settings whose values have another type than their defaults; without this, they fail in the middle of a build. */
@NonCPS
private List mistyped(Map arguments) {
    return arguments.findResults { key, value ->
        if (key in ['stores', 'deploys']) {
            boolean names = value instanceof List && value.every { it instanceof CharSequence }
            return names ? null : "${key} ${value}: write a list of names, such as ${key}: ['${value}']"
        }
        if (key == 'minutes') {
            return value instanceof Integer && value > 0 ? null : "minutes ${value}: write a positive number, such as minutes: 60"
        }
        if (key == 'preview') {
            return value instanceof Boolean ? null : "preview ${value}: write true or false, without quotes"
        }
        return value == null || value instanceof CharSequence ? null : "${key} ${value}: write a text in quotes"
    }
}

@NonCPS
private List others(List names, List known) {
    return names.findAll { !known.contains(it) }.sort()
}
