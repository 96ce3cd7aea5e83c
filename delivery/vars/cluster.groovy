/** Access to a cluster from outside: its DNS endpoint, which has a public certificate, and a token for one hour. */

/** Log in: write a kubeconfig, and the endpoint and the token for curl, to DOCKER_CONFIG, which is in memory. */
void signIn(Map job) {
    container('gcloud') {
        sh """\
set +x
umask 077
endpoint=\$(gcloud container clusters describe '${job.cluster}' --project '${job.project}' --location '${job.location}' \\
  --format 'value(controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint)')
token=\$(gcloud auth print-access-token)
printf 'apiVersion: v1\\nkind: Config\\ncurrent-context: c\\nclusters: [{name: c, cluster: {server: "https://%s"}}]\\n' "\$endpoint" > "\$DOCKER_CONFIG/kubeconfig"
printf 'contexts: [{name: c, context: {cluster: c, user: u}}]\\nusers: [{name: u, user: {token: "%s"}}]\\n' "\$token" >> "\$DOCKER_CONFIG/kubeconfig"
printf 'https://%s' "\$endpoint" > "\$DOCKER_CONFIG/endpoint"
printf 'header = "Authorization: Bearer %s"\\n' "\$token" > "\$DOCKER_CONFIG/curl"
"""
    }
}
