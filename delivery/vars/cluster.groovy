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
status=\$(curl --silent --show-error --config "\$DOCKER_CONFIG/curl" --max-time 30 --retry 4 \\
  --output /dev/null --write-out '%{http_code}' "https://\$endpoint/version") || status="000"
case "\$status" in
  200) ;;
  401|403) echo "no access to the cluster ${job.cluster} of ${job.project} (HTTP \$status): the account of this pod needs container.clusters.connect" >&2; exit 1;;
  *) echo "the cluster ${job.cluster} of ${job.project} does not answer at https://\$endpoint (HTTP \$status)" >&2; exit 1;;
esac
"""
    }
}
