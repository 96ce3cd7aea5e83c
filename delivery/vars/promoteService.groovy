/**
 * The job `platform/SERVICE/promote`, which the platform defines from services/*.yaml: releases the image and the chart of a
 * build of the main branch under its version. Both are copied by digest, by the only pods that may write released images
 * and charts. A repeated run succeeds; a version that exists with other content is an error. Everything is checked before
 * the first copy.
 *
 * service, source (the job whose builds are released), repository
 */
def call(Map job) {
    try {
        Map caller = callers.check(action: "release ${job.service}", job: job.source)
        Map release = read(job, caller)
        release.commit = attestation.commit(caller, release.version)
        release.build = caller
        agents.promote {
            timeout(time: 30, unit: 'MINUTES') {
                promote(job, release)
            }
        }
        currentBuild.description = release.version
    } catch (Exception failure) {
        currentBuild.description = failure.message
        throw failure
    }
}

/** The parameters, after a check: a build releases only its own version. */
private Map read(Map job, Map caller) {
    Map release = [version: params.VERSION ?: '', image: params.IMAGE ?: '', chart: params.CHART ?: '']
    if (!(release.version ==~ /\d+\.\d+\.\d+-${caller.number}\.g[0-9a-f]{8}/)) {
        error("VERSION '${release.version}': build ${caller.number} of ${caller.job} may only release its own version")
    }
    List digests = ['image', 'chart']
    for (int i = 0; i < digests.size(); i++) {
        if (!(release[digests[i]] ==~ /sha256:[0-9a-f]{64}/)) {
            error("${digests[i].toUpperCase()} '${release[digests[i]]}': give the digest of a candidate")
        }
    }
    return release
}

private void promote(Map job, Map release) {
    String image = "${env.CANDIDATES}/${job.service}@${release.image}"
    String chart = "${env.CANDIDATES}/charts/${job.service}@${release.chart}"
    String releasedImage = "${env.SERVICES}/${job.service}:${release.version}"
    String releasedChart = "${env.CHARTS}/${job.service}:${release.version}"
    boolean copyImage = false
    boolean copyChart = false
    stage('Check') {
        registry.login()
        checkChart(job, release)
        copyImage = isNew(releasedImage, release.image)
        copyChart = isNew(releasedChart, release.chart)
    }
    stage('Release') {
        container('crane') {
            if (copyImage) {
                sh "crane copy '${image}' '${releasedImage}'"
            }
        }
        // Without its chart, an image is not deployed: a release that cannot be signed has none.
        if (release.commit) {
            attestation.sign([
                image: "${env.SERVICES}/${job.service}@${release.image}".toString(), service: job.service, version: release.version,
                repository: job.repository, commit: release.commit, job: release.build.job, number: "${release.build.number}".toString(),
            ])
        }
        container('crane') {
            if (copyChart) {
                sh "crane copy '${chart}' '${releasedChart}'"
            }
        }
    }
}

/** The chart must be the service's, have the version of the build, and contain the digest of exactly this image. */
private void checkChart(Map job, Map release) {
    String repository = "${env.CANDIDATES}/charts/${job.service}"
    container('crane') {
        Map manifest = readJSON(text: registry.read("crane manifest '${repository}@${release.chart}'"))
        String layer = chartLayer(manifest)
        if (!layer) {
            error("${repository}@${release.chart} is not a Helm chart")
        }
        registry.read("crane blob '${repository}@${layer}'", 'candidate.tgz')
    }
    container('helm') {
        Map description = readYaml(text: sh(script: 'helm show chart candidate.tgz', returnStdout: true))
        if (description.name != job.service || description.version != release.version) {
            error("the chart is ${description.name} ${description.version}; it must be ${job.service} ${release.version}")
        }
        Map values = readYaml(text: sh(script: 'helm show values candidate.tgz', returnStdout: true)) ?: [:]
        Map wanted = [repository: "${env.SERVICES}/${job.service}".toString(), digest: release.image]
        if (values.image != wanted) {
            error("the chart's values must have the image ${wanted.repository} with ${wanted.digest}; they have ${values.image}")
        }
    }
}

/** Whether a tag must be written; false if it has this digest, an error if it has another. */
private boolean isNew(String reference, String digest) {
    String existing = registry.digest(reference)
    if (existing && existing != digest) {
        error("${reference} already exists with other content; versions are never moved")
    }
    return !existing
}

@NonCPS
private String chartLayer(Map manifest) {
    List layers = manifest.layers.findAll { it.mediaType == 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }
    return layers.size() == 1 && layers[0].digest ==~ /sha256:[0-9a-f]{64}/ ? layers[0].digest : null
}
