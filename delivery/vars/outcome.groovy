/** The end of a job: its result in Jenkins and the last message in its Slack thread. */

/**
 * Run the body of a job. If it fails or is stopped, set the result and report the stage.
 *
 * run: stage (the current stage), namespace (the preview namespace in use, if any), stopped (the message if the job is
 * stopped, if it is not the stage)
 */
void report(Map thread, Map run, Closure body) {
    try {
        body()
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        currentBuild.result = 'ABORTED'
        slack.warn(thread, run.stopped ?: "was stopped at ${run.stage}")
        throw interruption
    } catch (Exception failure) {
        currentBuild.result = 'FAILURE'
        slack.bad(thread, "failed at ${run.stage}${run.namespace ? " in ${run.namespace}" : ''}: ${failure.message}")
        throw failure
    }
}
