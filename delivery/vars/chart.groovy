/** The Helm chart of a service. */

/**
 * Push the chart of a build to the candidates and return its digest. Its values contain the digest of the candidate image
 * in `images`: the released images, or for a preview namespace the candidates. A repeated build replaces the chart, whose
 * archive contains the time; releases name it by the digest that is returned here.
 */
String propose(Map service, String candidate, String version, String images) {
    String folder = "${service.context}/${service.chart}"
    Map values = mapping.read("${folder}/values.yaml".toString())
    values.image = [repository: "${images}/${service.name}".toString(), digest: candidate.split('@')[1]]
    writeYaml(file: "${folder}/values.yaml", data: values, overwrite: true)
    String pushed = ''
    container('helm') {
        sh "helm package '${folder}' --version ${version} --app-version ${version} --destination packaged"
        pushed = sh(returnStdout: true, script: """\
helm push 'packaged/${service.name}-${version}.tgz' 'oci://${env.CANDIDATES}/charts' --registry-config "\$DOCKER_CONFIG/config.json" > pushed 2>&1 || {
  cat pushed >&2
  exit 1
}
cat pushed
""")
    }
    String digest = digestOf(pushed)
    if (!digest) {
        error("Helm named no digest for the chart ${service.name} ${version}")
    }
    return digest
}

@NonCPS
private String digestOf(String output) {
    def matcher = output =~ /(?m)^Digest: (sha256:[0-9a-f]{64})$/
    return matcher.find() ? matcher.group(1) : null
}
