/**
 * Preview namespaces of an environment, `preview-1` to `preview-N`. They always exist. The values of the Helm release
 * `lease` are the service, the pull request and the expiry date. Helm acts as the account `deployer` of the namespace, so the
 * chart of a pull request reaches no other namespace. Only the host of a build is written by the platform's own account.
 */

/** All preview namespaces: [namespace, releases, lease: [service, pull, expires]]. Fails if the cluster does not answer. */
List list(Map job) {
    String lines = ''
    container('helm') {
        lines = sh(returnStdout: true, script: """\
set -eu
for number in \$(seq ${job.namespaces as int}); do
  namespace="preview-\$number"
  access="--namespace \$namespace --kubeconfig \$DOCKER_CONFIG/kubeconfig --kube-as-user system:serviceaccount:\$namespace:deployer"
  releases=\$(helm list --all --short \$access)
  lease=null
  for release in \$releases; do
    if [ "\$release" = lease ]; then lease=\$(helm get values lease --output json \$access); fi
  done
  printf '{"namespace": "%s", "releases": "%s", "lease": %s}\\n' "\$namespace" "\$(echo \$releases)" "\$lease"
done
""")
    }
    return readJSON(text: "[${lines.trim().readLines().join(',')}]")
}

/** Lease a namespace to a pull request until a time in seconds: its current namespace or a free one; null without either. */
String lease(Map job, String pull, long expires) {
    String namespace = choose(list(job), job.service, pull)
    if (namespace) {
        List files = ['Chart.yaml', 'values.yaml', 'templates/service.yaml', 'templates/stores.yaml']
        for (int i = 0; i < files.size(); i++) {
            writeFile(file: "lease/${files[i]}", text: libraryResource("preview/${files[i]}"))
        }
        writeFile(file: 'stores.json', text: job.stores)
        container('helm') {
            sh """\
${unstuck(namespace)}
helm upgrade lease ./lease ${access(namespace)} --install --wait --timeout 5m --history-max 2 \\
  --values stores.json --set-string service='${job.service}',pull='${pull}',expires='${expires}',project='${job.project}'
"""
        }
    }
    return namespace
}

/** Install the service. A failed installation stays for inspection, until the next build or the end of the lease. */
void install(Map job, String namespace, String version, String host) {
    String file = "${job.service}/values-preview.yaml"
    container('helm') {
        sh "helm pull 'oci://${env.CANDIDATES}/charts/${job.service}' --version ${version} --untar --registry-config \"\$DOCKER_CONFIG/config.json\""
        if (fileExists("${job.service}/values-popup.yaml")) {
            error("`chart/values-popup.yaml` of ${job.service} is renamed; call it values-preview.yaml")
        }
        sh unstuck(namespace)
    }
    helmRelease.await(namespace, """\
helm upgrade '${job.service}' './${job.service}' ${access(namespace)} --install --wait --timeout ${job.minutes}m --history-max 3 \\
  --set-string environment=preview --set-string project='${job.project}' --set-string host='${host}'${fileExists(file) ? " --values '${file}'" : ''}""")
}

/**
 * Give the service its host: GKE's policy with the Identity-Aware Proxy, then the route. The platform's own account writes
 * both, because a chart that nobody has reviewed could leave the policy out.
 */
void expose(Map job, String namespace, String pull) {
    writeFile(file: 'backend.json', text: job.backend)
    writeFile(file: 'route.json', text: job.route.replace('PULL', pull))
    container('gcloud') {
        sh """\
set -eu
apply() {
  code=\$(curl --silent --show-error --max-time 60 --config "\$DOCKER_CONFIG/curl" --output answer --write-out '%{http_code}' \\
    --request PATCH --header 'Content-Type: application/apply-patch+yaml' --data-binary "@\$2" \\
    "\$(cat "\$DOCKER_CONFIG/endpoint")/apis/\$1?fieldManager=atwork&force=true")
  case "\$code" in
    2*) ;;
    403) tr -d '\\n' < answer >&2; echo >&2; echo 'no right to give a build its host: update ${job.environment} (pulumi up -s ${job.environment})' >&2; return 1;;
    *) tr -d '\\n' < answer >&2; echo >&2; return 1;;
  esac
}
apply 'networking.gke.io/v1/namespaces/${namespace}/gcpbackendpolicies/${job.service}' backend.json
apply 'gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes/${job.service}-host' route.json
"""
    }
}

/** Run the smoke test of the service. */
void test(Map job, String namespace) {
    helmRelease.await(namespace, "helm test '${job.service}' ${access(namespace)} --timeout 5m")
}

/**
 * Delete everything that a build can create in a preview namespace; the platform's objects stay, also the Secret with the
 * OAuth client of the proxy. Secrets are deleted last, because one of them is the lease: a namespace that could not be
 * emptied is not free.
 */
void clear(Map job, String namespace) {
    List ours = job.hosts ? ['apis/gateway.networking.k8s.io/v1 httproutes', 'apis/networking.gke.io/v1 gcpbackendpolicies'] : []
    List kinds = [
        'apis/batch/v1 cronjobs', 'apis/batch/v1 jobs', 'apis/autoscaling/v2 horizontalpodautoscalers',
        'apis/apps/v1 deployments', 'apis/apps/v1 statefulsets', 'apis/policy/v1 poddisruptionbudgets',
        'apis/monitoring.googleapis.com/v1 podmonitorings', 'apis/networking.gke.io/v1 healthcheckpolicies', 'api/v1 services',
        'api/v1 pods',
    ]
    List last = [
        'apis/networking.k8s.io/v1 networkpolicies?labelSelector=app.kubernetes.io/managed-by=Helm',
        'api/v1 serviceaccounts?labelSelector=app.kubernetes.io/managed-by=Helm',
        'api/v1 configmaps', 'api/v1 secrets?fieldSelector=metadata.name!=iap-client',
    ]
    container('gcloud') {
        sh """\
set -eu
call() {
  code=\$(curl --silent --show-error --max-time 60 --config "\$DOCKER_CONFIG/curl" --output answer --write-out '%{http_code}' "\$@")
  case "\$code" in 2*|404) ;; *) cat answer >&2; return 1;; esac
}
deployer='Impersonate-User: system:serviceaccount:${namespace}:deployer'
delete() {
  path="\$(cat "\$DOCKER_CONFIG/endpoint")/\$1/namespaces/${namespace}/\$2"
  case "\$path" in *\\?*) join='&';; *) join='?';; esac
  shift 2
  call --request DELETE "\$path\${join}propagationPolicy=Background" "\$@"
}
remove() { delete "\$@" --header "\$deployer"; }
left() {
  call --header "\$deployer" "\$(cat "\$DOCKER_CONFIG/endpoint")/api/v1/namespaces/${namespace}/pods"
  python3 -c 'import json; print(len(json.load(open("answer"))["items"]))'
}
${removals('delete', ours)}
${removals('remove', kinds)}
tries=0
while [ "\$(left)" != 0 ]; do
  tries=\$((tries + 1))
  if [ "\$tries" = 60 ]; then echo '${namespace}: some pods do not end' >&2; exit 1; fi
  sleep 5
done
${removals('remove', last)}
"""
    }
}

/** Options of Helm to act as the account of a namespace. */
private String access(String namespace) {
    return "--namespace ${namespace} --kubeconfig \"\$DOCKER_CONFIG/kubeconfig\" --kube-as-user system:serviceaccount:${namespace}:deployer"
}

/** Uninstall releases that an interrupted pod left locked; in a preview namespace no data is lost. */
private String unstuck(String namespace) {
    return "for release in \$(helm list --pending --short ${access(namespace)}); do helm uninstall \"\$release\" ${access(namespace)}; done"
}

@NonCPS
private String removals(String function, List kinds) {
    return kinds.collect { "${function} '${it.replace(' ', "' '")}'" }.join('\n')
}

@NonCPS
private String choose(List namespaces, String service, String pull) {
    def current = namespaces.find { it.lease && it.lease.service == service && it.lease.pull == pull }
    def free = namespaces.find { !it.releases }
    return (current ?: free)?.namespace
}
