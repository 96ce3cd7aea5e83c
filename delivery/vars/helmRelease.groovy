/** The Helm release of a service in its namespace. A deploy and its comparison use the same chart and the same values. */

/** Log in and get the chart of a version; returns parts of Helm's commands: [name, access, values]. */
Map open(Map job, String version) {
    registry.login()
    cluster.signIn(job)
    container('helm') {
        sh "helm pull 'oci://${env.CHARTS}/${job.service}' --version ${version} --untar --registry-config \"\$DOCKER_CONFIG/config.json\""
    }
    String file = "${job.service}/values-${job.environment}.yaml"
    return [
        name: "'${job.service}' --namespace '${job.service}'".toString(),
        // The chart may name any namespace. It is installed as an account that has rights in the service's namespace only.
        access: "--kubeconfig \"\$DOCKER_CONFIG/kubeconfig\" --kube-as-user 'system:serviceaccount:${job.service}:deployer'".toString(),
        values: ("--set-string environment='${job.environment}' --set-string project='${job.project}' " +
            "--set-string host='${job.host ?: ''}'${fileExists(file) ? " --values '${file}'" : ''}").toString(),
    ]
}
