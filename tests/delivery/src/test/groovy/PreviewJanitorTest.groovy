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
    void namespaces_with_expired_leases_are_emptied_and_others_stay() {
        standing(lease('7', NOW - 1), lease('8', NOW + 60), null)
        answers['/pulls/'] = 'open'
        assert play('janitor.Jenkinsfile') == null
        assert cleared() == ['preview-1']
        assert description == 'preview-1: the lease of pull request 7 of orders has expired'
        assert pods*.cloud == ['previews-staging']
        assert at('lock previews-staging') < at('lock preview-staging-preview-1')
    }

    @Test
    void namespaces_of_closed_pull_requests_are_emptied() {
        standing(lease('7', NOW + 60), lease('8', NOW + 60))
        answers['/pulls/7'] = 'closed\n'
        answers['/pulls/8'] = 'open\n'
        assert play('janitor.Jenkinsfile') == null
        assert cleared() == ['preview-1']
        assert has('https://api.github.com/repos/acme/orders/pulls/7')
        assert has('credentials github-reports')
    }

    @Test
    void without_an_answer_from_github_a_namespace_stays() {
        standing(lease('7', NOW + 60))
        answers['/pulls/7'] = new hudson.AbortException('exit code 22')
        assert play('janitor.Jenkinsfile') == null
        assert cleared() == []
        assert description == 'nothing to empty'
        assert has('no answer from GitHub about https://github.com/acme/orders/pulls/7')
    }

    @Test
    void a_lease_that_the_platform_did_not_write_is_not_trusted() {
        standing(lease('7', NOW + 365 * 24 * 3600), lease("7'; true '", NOW + 60), [:])
        assert play('janitor.Jenkinsfile') == null
        assert cleared() == ['preview-1', 'preview-2', 'preview-3']
        assert description.contains('its lease was not written by the platform')
        assert !has('/pulls/')
    }

    @Test
    void a_namespace_with_a_running_deploy_is_left_for_the_next_hour() {
        standing(lease('7', NOW - 1), lease('8', NOW - 1))
        locked << 'preview-staging-preview-1'
        assert play('janitor.Jenkinsfile') == null
        assert cleared() == ['preview-2']
    }

    @Test
    void a_namespace_that_cannot_be_emptied_is_reported_and_the_others_continue() {
        standing(lease('7', NOW - 1), lease('8', NOW - 1))
        answers['serviceaccount:preview-1:deployer'] = new hudson.AbortException('exit code 1')
        assert play('janitor.Jenkinsfile').message.startsWith('preview-1 could not be emptied (exit code 1)')
        assert cleared() == ['preview-1', 'preview-2']
        assert messages[-1].color == 'danger'
    }

    @Test
    void the_host_is_deleted_first_and_by_the_account_of_the_platform() {
        standing(lease('7', NOW - 1))
        play('janitorHosts.Jenkinsfile')
        String script = commands.find { it.script.contains('remove ') && it.container == 'gcloud' }.script
        List<String> ours = script.readLines().findAll { it.startsWith('delete ') }
        assert ours == ["delete 'apis/gateway.networking.k8s.io/v1' 'httproutes'", "delete 'apis/networking.gke.io/v1' 'gcpbackendpolicies'"]
        assert script.indexOf(ours[1]) < script.indexOf("remove 'apis/batch/v1'")
        assert script.contains('remove() { delete "$@" --header "$deployer"; }')
    }

    @Test
    void without_hosts_no_route_is_deleted() {
        standing(lease('7', NOW - 1))
        play('janitor.Jenkinsfile')
        assert !has('httproutes')
    }

    @Test
    void the_lease_is_deleted_last() {
        standing(lease('7', NOW - 1))
        play('janitor.Jenkinsfile')
        String script = commands.find { it.script.contains('remove ') && it.container == 'gcloud' }.script
        List<String> removed = script.readLines().findAll { it.startsWith('remove ') }
        assert removed[-1] == "remove 'api/v1' 'secrets?fieldSelector=metadata.name!=iap-client'"
        assert removed.contains("remove 'apis/apps/v1' 'deployments'")
        assert script.indexOf('do not end') < script.indexOf(removed[-1])
    }
}
