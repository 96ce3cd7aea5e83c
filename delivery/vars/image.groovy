/** Images: built once as candidates; the job promote releases them by their digest. */

/** Build a stage of the Dockerfile and push it to the candidates; returns its address with the digest. */
String build(Map service, String tag, String target) {
    String name = "${env.CANDIDATES}/${service.name}"
    container('buildkit') {
        sh """\
buildctl-daemonless.sh build --progress=plain --frontend=dockerfile.v0 \\
  --local context='${service.context}' --local dockerfile='${service.context}' --opt target=${target} \\
  --opt build-arg:VERSION=${tag} --opt build-arg:DOCKER_HUB=${env.DOCKER_HUB} \\
  --opt label:org.opencontainers.image.version=${tag} ${cache(service)}\\
  --output type=image,name=${name}:${tag},push=true --metadata-file build-${target}.json
"""
    }
    String digest = readJSON(file: "build-${target}.json")['containerimage.digest']
    if (!(digest ==~ /sha256:[0-9a-f]{64}/)) {
        error("BuildKit named no digest for ${name}:${tag}")
    }
    return "${name}@${digest}"
}

/**
 * Options of the cache in the registry, for pull requests only. All builds have the same identity, so every pull request
 * can write any layer there: a build that is released imports nothing (docs/adr/0006-delivery.md). Two builds in one pod
 * share their layers, because BuildKit's state stays in the pod. A cache that cannot be read or written fails no build.
 */
private String cache(Map service) {
    if (!env.CHANGE_ID) {
        return ''
    }
    String reference = "type=registry,ref=${env.CACHE}/${service.name}"
    return "--import-cache ${reference} --export-cache ${reference},mode=max,ignore-error=true "
}
