import org.junit.Test

class PreviewJanitorTest extends Jenkins {
    private void standing(Map... leases) {
        answers['helm get values lease'] = leases.toList().withIndex().collect { lease, index ->
            groovy.json.JsonOutput.toJson([namespace: "preview-${index + 1}".toString(), releases: lease == null ? '' : 'lease orders', lease: lease ?: null])
        }.join('\n')
    }

    private Map lease(String pull, long expires) { [service: 'orders', pull: pull, expires: "${expires}".toString()] }

    private List<String> cleared() {
        commands.findAll { it.container == 'gcloud' && it.script.contains('remove ') }.collect { (it.script =~ /serviceaccount:(preview-\d+):deployer/)[0][1] }
    }

    private String getDescription() { binding.getVariable('currentBuild').description }

    @Test
    void what_is_over_goes_and_what_is_not_stays() {
        standing(lease('7', NOW - 1), lease('8', NOW + 60), null)
        answers['/pulls/'] = 'open'
        assert play('takeAway.Jenkinsfile') == null
        assert cleared() == ['preview-1']
        assert description == 'preview-1: pull request 7 of orders had its time'
        assert pods*.cloud == ['previews-staging']
        assert at('lock previews-staging') < at('lock preview-staging-preview-1')
    }

    @Test
    void what_belongs_to_a_closed_pull_request_goes() {
        standing(lease('7', NOW + 60), lease('8', NOW + 60))
        answers['/pulls/7'] = 'closed\n'
        answers['/pulls/8'] = 'open\n'
        assert play('takeAway.Jenkinsfile') == null
        assert cleared() == ['preview-1']
        assert has('https://api.github.com/repos/acme/orders/pulls/7')
        assert has('credentials github-app')
    }

    @Test
    void where_github_does_not_answer_it_stays() {
        standing(lease('7', NOW + 60))
        answers['/pulls/7'] = new hudson.AbortException('exit code 22')
        assert play('takeAway.Jenkinsfile') == null
        assert cleared() == []
        assert description == 'nothing to take away'
        assert has('GitHub says nothing of https://github.com/acme/orders/pulls/7')
    }

    @Test
    void nothing_that_runs_there_can_give_itself_time_or_orders() {
        standing(lease('7', NOW + 365 * 24 * 3600), lease("7'; true '", NOW + 60), [:])
        assert play('takeAway.Jenkinsfile') == null
        assert cleared() == ['preview-1', 'preview-2', 'preview-3']
        assert description.contains('its lease is not one that the platform wrote')
        assert !has('/pulls/')
    }

    @Test
    void one_that_is_being_deployed_is_left_for_the_next_hour() {
        standing(lease('7', NOW - 1), lease('8', NOW - 1))
        locked << 'preview-staging-preview-1'
        assert play('takeAway.Jenkinsfile') == null
        assert cleared() == ['preview-2']
    }

    @Test
    void one_that_does_not_go_keeps_no_other_and_is_told() {
        standing(lease('7', NOW - 1), lease('8', NOW - 1))
        answers['serviceaccount:preview-1:deployer'] = new hudson.AbortException('exit code 1')
        assert play('takeAway.Jenkinsfile').message.startsWith('preview-1 could not be emptied (exit code 1)')
        assert cleared() == ['preview-1', 'preview-2']
        assert said[-1].color == 'danger'
    }

    @Test
    void the_lease_goes_last() {
        standing(lease('7', NOW - 1))
        play('takeAway.Jenkinsfile')
        String script = commands.find { it.script.contains('remove ') && it.container == 'gcloud' }.script
        List<String> removed = script.readLines().findAll { it.startsWith('remove ') }
        assert removed[-1] == "remove 'api/v1' 'secrets'"
        assert removed.contains("remove 'apis/apps/v1' 'deployments'")
        assert script.indexOf('do not end') < script.indexOf("'secrets'")
    }
}
