/**
 * The pods in which things run: a new one for each stage, gone with it. What they may do is in the platform's templates
 * (components/jenkins/pods.py), not here.
 */

/** A pod with BuildKit and the tools that push. */
void build(Closure body) {
    podTemplate(inheritFrom: 'build') {
        onNode(body)
    }
}

/** A pod with the data stores, ready before anything starts, and the image under test as container `app`. */
void test(Map service, String testImage, Closure body) {
    podTemplate(
        inheritFrom: stores.templates(service.stores),
        namespace: 'jenkins-tests',
        yamlMergeStrategy: merge(),  // left out, what follows would replace the stores
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

/** A pod that reaches one environment; only jobs in the folder `platform` get one. */
void deploy(String environment, Closure body) {
    restricted("deploy-${environment}", body)
}

/** A pod that reaches the preview namespaces of one environment, and nothing else there. */
void previews(String environment, Closure body) {
    restricted("previews-${environment}", body)
}

private void restricted(String cloud, Closure body) {
    podTemplate(cloud: cloud, inheritFrom: cloud) {
        onNode(body)
    }
}

/** Again in a new pod where the first one was taken away, as spot nodes are; never where the work itself failed. */
private void onNode(Closure body) {
    retry(count: 2, conditions: [kubernetesAgent(), nonresumable()]) {
        node(POD_LABEL) {
            body()
        }
    }
}
