/**
 * Preview namespaces of an environment, `preview-1` to `preview-N`. They always exist; the Helm release `lease`
 * says whose each is: its values are the service, the pull request and the expiry date. Everything is done as the account
 * `deployer` of that one namespace: the chart of a pull request reaches no other.
 */

/** All of them: [namespace, releases, lease: [service, pull, expires]]. A cluster that does not answer is an error. */
List look(Map job) {
    String said = ''
    container('helm') {
        said = sh(returnStdout: true, script: """\
set -eu
for number in \$(seq ${job.namespaces as int}); do
  namespace="preview-\$number"
  reach="--namespace \$namespace --kubeconfig \$DOCKER_CONFIG/kubeconfig --kube-as-user system:serviceaccount:\$namespace:deployer"
  releases=\$(helm list --all --short \$reach)
  lease=null
  for release in \$releases; do
    if [ "\$release" = lease ]; then lease=\$(helm get values lease --output json \$reach); fi
  done
  printf '{"namespace": "%s", "releases": "%s", "lease": %s}\\n' "\$namespace" "\$(echo \$releases)" "\$lease"
done
""")
    }
    return readJSON(text: "[${said.trim().readLines().join(',')}]")
}

/** The namespace of a pull request until a moment, in seconds: the one it has, else a free one; null where none is. */
String lease(Map job, String pull, long expires) {
    String namespace = choose(look(job), job.service, pull)
    if (namespace) {
        List files = ['Chart.yaml', 'values.yaml', 'templates/service.yaml', 'templates/stores.yaml']
        for (int i = 0; i < files.size(); i++) {
            writeFile(file: "lease/${files[i]}", text: libraryResource("preview/${files[i]}"))
        }
        writeFile(file: 'stores.json', text: job.stores)
        container('helm') {
            sh """\
${unstuck(namespace)}
helm upgrade lease ./lease ${reach(namespace)} --install --history-max 2 --values stores.json \\
  --set-string service='${job.service}',pull='${pull}',expires='${expires}',project='${job.project}'
"""
        }
    }
    return namespace
}

/** Bring the service up; one that fails stays as it is, to be looked at, until its next build or its end. */
void install(Map job, String namespace, String version) {
    container('helm') {
        sh "helm pull 'oci://${env.CANDIDATES}/charts/${job.service}' --version ${version} --untar --registry-config \"\$DOCKER_CONFIG/config.json\""
        String values = "${job.service}/values-preview.yaml"
        if (fileExists("${job.service}/values-popup.yaml")) {
            error("chart/values-popup.yaml of ${job.service} is renamed; call it values-preview.yaml")
        }
        sh """\
${unstuck(namespace)}
helm upgrade '${job.service}' './${job.service}' ${reach(namespace)} --install --wait --timeout 10m --history-max 3 \\
  --set-string environment=preview --set-string project='${job.project}' --set-string host=''${fileExists(values) ? " --values '${values}'" : ''}
"""
    }
}

/** Ask the service whether it is well. */
void test(Map job, String namespace) {
    container('helm') {
        sh "helm test '${job.service}' ${reach(namespace)} --timeout 5m"
    }
}

/**
 * Delete everything that a build may have created in a preview namespace; the platform's objects stay. The Secrets go
 * last, because the lease is one of them: a namespace that could not be emptied is not free.
 */
void clear(String namespace) {
    List kinds = [
        'apis/batch/v1 cronjobs', 'apis/batch/v1 jobs', 'apis/autoscaling/v2 horizontalpodautoscalers',
        'apis/apps/v1 deployments', 'apis/apps/v1 statefulsets', 'apis/policy/v1 poddisruptionbudgets',
        'apis/monitoring.googleapis.com/v1 podmonitorings', 'api/v1 services', 'api/v1 pods',
    ]
    List last = [
        'apis/networking.k8s.io/v1 networkpolicies?labelSelector=app.kubernetes.io/managed-by=Helm',
        'api/v1 serviceaccounts?labelSelector=app.kubernetes.io/managed-by=Helm',
        'api/v1 configmaps', 'api/v1 secrets',
    ]
    container('gcloud') {
        sh """\
set -eu
call() {
  code=\$(curl --silent --show-error --max-time 60 --config "\$DOCKER_CONFIG/curl" --output answer --write-out '%{http_code}' \\
    --header 'Impersonate-User: system:serviceaccount:${namespace}:deployer' "\$@")
  case "\$code" in 2*|404) ;; *) cat answer >&2; return 1;; esac
}
remove() {
  path="\$(cat "\$DOCKER_CONFIG/endpoint")/\$1/namespaces/${namespace}/\$2"
  case "\$path" in *\\?*) join='&';; *) join='?';; esac
  call --request DELETE "\$path\${join}propagationPolicy=Background"
}
left() {
  call "\$(cat "\$DOCKER_CONFIG/endpoint")/api/v1/namespaces/${namespace}/pods"
  python3 -c 'import json; print(len(json.load(open("answer"))["items"]))'
}
${removals(kinds)}
tries=0
while [ "\$(left)" != 0 ]; do
  tries=\$((tries + 1))
  if [ "\$tries" = 60 ]; then echo '${namespace}: there are pods that do not end' >&2; exit 1; fi
  sleep 5
done
${removals(last)}
"""
    }
}

/** Helm as the account of one namespace. */
private String reach(String namespace) {
    return "--namespace ${namespace} --kubeconfig \"\$DOCKER_CONFIG/kubeconfig\" --kube-as-user system:serviceaccount:${namespace}:deployer"
}

/** What a pod left halfway that was taken away stays locked for Helm; in a preview namespace there is nothing to save. */
private String unstuck(String namespace) {
    return "for release in \$(helm list --pending --short ${reach(namespace)}); do helm uninstall \"\$release\" ${reach(namespace)}; done"
}

@NonCPS
private String removals(List kinds) {
    return kinds.collect { "remove '${it.replace(' ', "' '")}'" }.join('\n')
}

@NonCPS
private String choose(List places, String service, String pull) {
    def mine = places.find { it.lease && it.lease.service == service && it.lease.pull == pull }
    def free = places.find { !it.releases }
    return (mine ?: free)?.namespace
}
