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

/** The release that is deployed: [revision, app_version]; null without one. */
Map deployed(Map job, Map release) {
    List releases = []
    container('helm') {
        releases = readJSON(text: sh(returnStdout: true, script: "helm list --deployed --filter '^${job.service}\$' --namespace '${job.service}' --output json ${release.access}"))
    }
    return releases ? releases[0] : null
}

/** Run a command of Helm that waits for pods. If it fails, the message says what keeps pods of the namespace from being ready. */
void await(String namespace, String command) {
    try {
        container('helm') {
            sh "${command} 2> helm-errors.txt || { cat helm-errors.txt >&2; exit 1; }"
        }
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        throw interruption
    } catch (Exception failure) {
        error(reason(namespace) ?: failure.message)
    }
}

/** Why a release does not run, in one line; the log gets the details. Empty if the cluster does not answer. */
private String reason(String namespace) {
    writeFile(file: 'reasons.py', text: libraryResource('deploy/reasons.py'))
    String line = ''
    try {
        container('gcloud') {
            line = sh(returnStdout: true, script: "python3 reasons.py '${namespace}' helm-errors.txt").trim()
        }
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        throw interruption
    } catch (Exception failure) {
        echo "no answer about the pods of ${namespace}: ${failure.message}"
    }
    return line
}
