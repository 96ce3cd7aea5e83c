/**
 * The pods of a pipeline: a new pod for each stage, deleted at its end. The platform's templates
 * (components/jenkins/pods.py) define their rights, not this file.
 */

/** A pod with BuildKit and the tools that push. */
void build(Closure body) {
    podTemplate(inheritFrom: 'build') {
        onNode(body)
    }
}

/** A pod with the data stores, which are ready before the first step, and the image under test as container `app`. */
void test(Map service, String testImage, Closure body) {
    podTemplate(
        inheritFrom: stores.templates(service.stores),
        namespace: 'jenkins-tests',
        yamlMergeStrategy: merge(),  // without it, this YAML would replace the stores
        yaml: """\
spec:
  containers:
  - name: app
    image: ${testImage}
    command: [sleep, 99d]
    env: ${stores.variables(service.stores)}
    securityContext: {runAsUser: 1000, runAsGroup: 1000, runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    resources: {requests: {cpu: 500m, memory: 1Gi, ephemeral-storage: 1Gi}, limits: {memory: 1Gi, ephemeral-storage: 4Gi}}
"""
    ) {
        onNode(body)
    }
}

/** A pod that reaches one environment; only jobs in the folder `platform` may use it. */
void deploy(String environment, Closure body) {
    restricted("deploy-${environment}", body)
}

/** A pod that may write released images and charts; only jobs in the folder `platform` may use it. */
void promote(Closure body) {
    restricted('promote', body)
}

/** A pod that reaches only the preview namespaces of one environment. */
void previews(String environment, Closure body) {
    restricted("previews-${environment}", body)
}

private void restricted(String cloud, Closure body) {
    podTemplate(cloud: cloud, inheritFrom: cloud) {
        onNode(body)
    }
}

/** Run the body in a new pod, and again if the pod was lost with its spot node; never again if the body failed. */
private void onNode(Closure body) {
    retry(count: 2, conditions: [kubernetesAgent(), nonresumable()]) {
        node(POD_LABEL) {
            body()
        }
    }
}
