/** `currentBuild`: what a pipeline sets, and who started it as Jenkins records it. */
class RunningBuild implements Serializable {
    String result
    String description
    long startTimeInMillis
    List<Map> buildCauses = []
    RunningBuild previousBuild
    Map buildVariables = [:]

    /** Builds of these jobs, each with the number of the version in the tests. */
    void startedBy(String... jobs) {
        buildCauses = jobs.collect {
            [_class: 'org.jenkinsci.plugins.workflow.support.steps.build.BuildUpstreamCause', upstreamProject: it, upstreamBuild: 17]
        }
    }

    void startedByPerson() {
        buildCauses = [[_class: 'hudson.model.Cause$UserIdCause', userId: 'ada@example.com']]
    }
}
