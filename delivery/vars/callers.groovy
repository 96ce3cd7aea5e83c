/** Who started a job of the platform. Jenkins records this; no caller can choose it. */

/**
 * The build that started this one: [job, number]; null if a person did. Anybody else is refused, also a build that was
 * deleted since. Equal requests are one build with several causes: one that is accepted is enough.
 *
 * action   what the job does, for the message
 * job      full name of the job whose builds may start this one, or
 * pulls    full name of the job whose pull requests may
 * people   whether a person may
 */
Map check(Map rule) {
    Map answer = judge(rule)
    if (!answer.accepted) {
        String allowed = rule.job ? "builds of ${rule.job}" : "builds of pull requests in ${rule.pulls}"
        error("${answer.callers} may not ${rule.action}; ${allowed} may")
    }
    return answer.build
}

@NonCPS
private Map judge(Map rule) {
    List causes = currentBuild.getBuildCauses()
    String pattern = java.util.regex.Pattern.quote(rule.job ?: rule.pulls) + (rule.job ? '' : '/PR-[0-9]{1,9}')
    def cause = causes.find {
        it.upstreamProject && it.upstreamProject ==~ pattern && (rule.job || isPullRequest(it.upstreamProject))
    }
    boolean person = rule.people && causes.any { it._class == 'hudson.model.Cause$UserIdCause' }
    return [
        accepted: cause != null || person,
        build: cause ? [job: cause.upstreamProject, number: cause.upstreamBuild] : null,
        callers: causes.collect { it.upstreamProject ?: it._class }.join(', '),
    ]
}

/**
 * Whether Jenkins made a job for a pull request: a branch may have the name PR-7, and its job the same name as the job of
 * pull request 7. Jenkins keeps the head that it found with the job.
 */
@NonCPS
private boolean isPullRequest(String job) {
    def item = jenkins.model.Jenkins.get().getItemByFullName(job)
    return item != null && jenkins.scm.api.SCMHead.HeadByItem.findHead(item) instanceof jenkins.scm.api.mixin.ChangeRequestSCMHead
}
