/** The Helm chart of a service, released with the image that it starts. */

/** Package the chart under the build's version, with the image's digest in its values, and push it. */
void publish(Map service, String candidate, String version) {
    String folder = "${service.context}/chart"
    Map values = readYaml(file: "${folder}/values.yaml")
    values.image = [repository: "${env.SERVICES}/${service.name}".toString(), digest: candidate.split('@')[1]]
    writeYaml(file: "${folder}/values.yaml", data: values, overwrite: true)
    String login = '--registry-config "$DOCKER_CONFIG/config.json"'
    container('helm') {
        sh "helm package '${folder}' --version ${version} --app-version ${version} --destination packaged"
        // A chart that is there already is a repeated build's: the version names the commit and the build.
        sh """\
helm show chart 'oci://${env.CHARTS}/${service.name}' --version ${version} ${login} >/dev/null 2>&1 ||
  helm push 'packaged/${service.name}-${version}.tgz' 'oci://${env.CHARTS}' ${login}
"""
    }
}
