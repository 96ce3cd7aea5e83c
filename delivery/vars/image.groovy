/** Images: built once as candidates, released by their digest. */

/** Build a stage of the Dockerfile and push it to the candidates; returns its address with the digest. */
String build(Map service, String tag, String target) {
    String name = "${env.CANDIDATES}/${service.name}"
    String cache = "${env.CACHE}/${service.name}"
    container('buildkit') {
        sh """\
buildctl-daemonless.sh build --progress=plain --frontend=dockerfile.v0 \\
  --local context='${service.context}' --local dockerfile='${service.context}' --opt target=${target} \\
  --opt build-arg:VERSION=${tag} --opt build-arg:DOCKER_HUB=${env.DOCKER_HUB} \\
  --import-cache type=registry,ref=${cache} --export-cache type=registry,ref=${cache},mode=max \\
  --output type=image,name=${name}:${tag},push=true --metadata-file build-${target}.json
"""
    }
    String digest = readJSON(file: "build-${target}.json")['containerimage.digest']
    if (!(digest ==~ /sha256:[0-9a-f]{64}/)) {
        error("BuildKit named no digest for ${name}:${tag}")
    }
    return "${name}@${digest}"
}

/** Release a candidate: copy it to an immutable tag, its version. A repeated build succeeds. */
void promote(Map service, String candidate, String version) {
    String released = "${env.SERVICES}/${service.name}:${version}"
    container('crane') {
        String existing = sh(script: "crane digest '${released}' 2>/dev/null || true", returnStdout: true).trim()
        if (existing && !candidate.endsWith("@${existing}")) {
            error("${released} already exists with other content; versions are never moved")
        }
        if (!existing) {
            sh "crane copy '${candidate}' '${released}'"
        }
    }
}
