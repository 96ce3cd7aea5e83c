/** The Helm chart of a service, released with its image. */

/** Release the chart with the version of the build; its values contain the digest of the released image. */
void publish(Map service, String candidate, String version) {
    push(service, candidate, version, env.SERVICES, env.CHARTS)
}

/** Push the chart of a build that is not released to the candidates. Only preview namespaces install it. */
void propose(Map service, String candidate, String version) {
    push(service, candidate, version, env.CANDIDATES, "${env.CANDIDATES}/charts")
}

private void push(Map service, String candidate, String version, String images, String charts) {
    String folder = "${service.context}/chart"
    Map values = readYaml(file: "${folder}/values.yaml")
    values.image = [repository: "${images}/${service.name}".toString(), digest: candidate.split('@')[1]]
    writeYaml(file: "${folder}/values.yaml", data: values, overwrite: true)
    String login = '--registry-config "$DOCKER_CONFIG/config.json"'
    container('helm') {
        sh "helm package '${folder}' --version ${version} --app-version ${version} --destination packaged"
        // The version contains the commit and the build, so an existing chart is from an earlier run of this build.
        sh """\
helm show chart 'oci://${charts}/${service.name}' --version ${version} ${login} >/dev/null 2>&1 ||
  helm push 'packaged/${service.name}-${version}.tgz' 'oci://${charts}' ${login}
"""
    }
}
