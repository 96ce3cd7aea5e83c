import org.junit.Before
import org.junit.Test

class PreviewServiceTest extends Jenkins {
    static final String HOST = 'orders-pr-7.popup.staging.example.com'
    static final String FREE = '{"namespace": "preview-1", "releases": "", "lease": null}'
    static final String OTHER = '{"namespace": "preview-1", "releases": "lease stock", "lease": {"service": "stock", "pull": "7", "expires": "1764100900"}}'
    static final String FREE_TOO = '{"namespace": "preview-2", "releases": "", "lease": null}'
    static final String MINE = '{"namespace": "preview-2", "releases": "lease orders", "lease": {"service": "orders", "pull": "7", "expires": "1764100900"}}'

    @Override
    @Before
    void setUp() throws Exception {
        super.setUp()
        binding.setVariable('params', [VERSION: '1.4.0-17.g1a2b3c4d', THREAD: 'C0123456:1700000000.000100'])
        build.startedBy('services/orders/PR-7')
        standing(OTHER, FREE_TOO)
    }

    @Test
    void a_branch_with_the_name_of_a_pull_request_is_none() {
        jenkins.model.Jenkins.PULLS.remove('services/orders/PR-7')
        jenkins.model.Jenkins.DESCRIPTIONS['services/orders/PR-7'] = null
        assert play('previewJob.Jenkinsfile').message == 'services/orders/PR-7 may not deploy orders; builds of pull requests in services/orders may'
        jenkins.model.Jenkins.DESCRIPTIONS.remove('services/orders/PR-7')
        assert play('previewJob.Jenkinsfile').message.startsWith('services/orders/PR-7 may not deploy orders'): 'its job was deleted'
        assert pods.empty
    }

    private void standing(String... places) { answers['helm get values lease'] = places.join('\n') + '\n' }

    @Test
    void a_namespace_is_leased_before_a_deploy() {
        assert play('previewJob.Jenkinsfile') == null
        assert stages() == ['Lease', 'Deploy', 'Smoke test']
        assert at('lock previews-staging') < at('helm upgrade lease')
        assert at('helm upgrade lease') < at('lock preview-staging-preview-2')
        assert at('lock preview-staging-preview-2') < at("helm upgrade 'orders'")
        assert at("helm upgrade 'orders'") < at("helm test 'orders'")
        assert pods*.cloud == ['previews-staging']
    }

    @Test
    void the_lease_contains_the_pull_request_and_the_expiry_date() {
        play('previewJob.Jenkinsfile')
        assert has("--set-string service='orders',pull='7',expires='${NOW + 24 * 3600}',project='p'")
        assert written.keySet().containsAll(['lease/Chart.yaml', 'lease/values.yaml', 'lease/templates/service.yaml', 'lease/templates/stores.yaml'])
        assert written['stores.json'] == '{"stores": {}}'
        assert binding.getVariable('currentBuild').description == 'pull request 7 runs in preview-2 of staging until 2025-11-26T19:46:40Z'
        assert messages[-1].color == 'good'
        assert messages[-1].message.contains('kubectl --namespace preview-2 port-forward service/orders 8080:80')
        assert messages*.channel.unique() == ['C0123456:1700000000.000100']
    }

    @Test
    void without_a_host_no_route_is_written_and_the_reason_is_reported() {
        assert play('previewJob.Jenkinsfile') == null
        assert !has('httproutes')
        assert has("--set-string host=''")
        assert messages[-1].message.contains('without a URL because staging has no gateway with iap: `kubectl')
    }

    @Test
    void a_build_gets_the_host_of_its_service_and_its_pull_request() {
        assert play('previewHost.Jenkinsfile') == null
        assert has("--set-string host='$HOST'")
        assert new groovy.json.JsonSlurper().parseText(written['route.json']) == [spec: [hostnames: [HOST]]]
        assert written['backend.json'] == '{"spec": {"default": {"iap": {"enabled": true}}}}'
        String description = binding.getVariable('currentBuild').description
        assert description == 'pull request 7 runs in preview-2 of staging until 2025-11-26T19:46:40Z: https://' + HOST
        assert messages[-1].color == 'good'
        assert messages[-1].message.contains('until 2025-11-26T19:46:40Z: https://' + HOST + ' (<')
    }

    @Test
    void the_identity_aware_proxy_is_in_front_of_a_build_before_it_has_a_route() {
        play('previewHost.Jenkinsfile')
        assert at('lock preview-staging-preview-2') < at('preview-2/gcpbackendpolicies/orders')
        List<String> written = commands.find { it.container == 'gcloud' && it.script.contains('apply ') }.script.readLines().findAll { it.startsWith('apply ') }
        assert written == [
            "apply 'networking.gke.io/v1/namespaces/preview-2/gcpbackendpolicies/orders' backend.json",
            "apply 'gateway.networking.k8s.io/v1/namespaces/preview-2/httproutes/orders-host' route.json",
        ]
    }

    @Test
    void a_host_that_is_refused_fails_the_deploy() {
        answers['httproutes'] = new hudson.AbortException('exit code 1')
        assert play('previewHost.Jenkinsfile').message == 'exit code 1'
        assert messages[-1].message.contains('failed at Deploy in preview-2: exit code 1')
        assert !binding.getVariable('currentBuild').description?.contains('https')
    }

    @Test
    void all_commands_act_as_the_account_of_the_namespace() {
        play('previewJob.Jenkinsfile')
        List<String> helms = commands.findAll { it.script =~ /helm (upgrade|test|uninstall|list)/ }*.script
        assert helms.size() == 5
        assert helms.every { it.contains('--kube-as-user system:serviceaccount:') }
        assert helms.tail().every { it.contains('--namespace preview-2') && !it.contains('preview-1') }
    }

    @Test
    void a_later_build_of_a_pull_request_uses_its_namespace_again() {
        standing(FREE, MINE)
        play('previewJob.Jenkinsfile')
        assert has("helm upgrade 'orders' './orders' --namespace preview-2")
    }

    @Test
    void another_pull_request_or_service_gets_another_namespace() {
        standing(FREE, MINE)
        build.startedBy('services/orders/PR-8')
        play('previewJob.Jenkinsfile')
        assert has("helm upgrade 'orders' './orders' --namespace preview-1")
    }

    @Test
    void without_a_free_namespace_nothing_changes_and_it_is_reported() {
        standing(OTHER, MINE)
        build.startedBy('services/orders/PR-8')
        assert play('previewJob.Jenkinsfile') == null
        assert result == 'NOT_BUILT'
        assert !has('helm upgrade')
        assert messages[-1].message.contains('all 2 preview namespaces of staging are taken')
    }

    @Test
    void a_cluster_that_does_not_answer_is_not_an_empty_one() {
        answers['helm get values lease'] = new hudson.AbortException('exit code 1')
        assert play('previewJob.Jenkinsfile').message == 'exit code 1'
        assert !has('helm upgrade')
        assert messages[-1].message.contains('failed at Lease: exit code 1')
    }

    @Test
    void a_service_that_does_not_start_stays_for_inspection() {
        answers["helm upgrade 'orders'"] = new hudson.AbortException('exit code 1')
        assert play('previewJob.Jenkinsfile').message == 'exit code 1'
        assert !has('helm test') && !has('--atomic') && !has('rollback')
        assert messages[-1].message.contains('failed at Deploy in preview-2: exit code 1')
    }

    @Test
    void a_failed_smoke_test_is_reported() {
        answers['helm test'] = new hudson.AbortException('exit code 1')
        play('previewJob.Jenkinsfile')
        assert result == 'FAILURE'
        assert messages[-1].message.contains('failed at Smoke test in preview-2')
    }

    @Test
    void values_for_preview_namespaces_are_used_where_the_chart_has_them() {
        play('previewJob.Jenkinsfile')
        assert !has('values-preview.yaml')
        files['orders/values-preview.yaml'] = 'replicas: 1\n'
        play('previewJob.Jenkinsfile')
        assert has("--values 'orders/values-preview.yaml'")
    }

    @Test
    void only_pull_requests_of_the_service_may_start_it() {
        for (String caller : ['services/stock/PR-7', 'services/orders/main', 'services/orders-2/PR-7', 'services/orders/PR-7/x', 'services/orders/PR-x', 'other']) {
            build.startedBy(caller)
            assert play('previewJob.Jenkinsfile').message.startsWith("${caller} may not deploy orders")
        }
        assert pods.empty
    }

    @Test
    void a_caller_cannot_name_another_pull_request() {
        binding.getVariable('params').PULL = '9'
        play('previewJob.Jenkinsfile')
        assert has("pull='7'")
    }

    @Test
    void a_person_names_the_pull_request() {
        build.startedByPerson()
        assert play('previewJob.Jenkinsfile').message == "PULL '': write the number of the pull request"
        binding.getVariable('params').PULL = "7' --set x='"
        assert play('previewJob.Jenkinsfile').message.startsWith('PULL ')
        assert pods.empty
        binding.getVariable('params').PULL = '9'
        assert play('previewJob.Jenkinsfile') == null
        assert has("pull='9'")
    }

    @Test
    void an_invalid_version_is_refused() {
        binding.setVariable('params', [VERSION: "1.0.0-1.g1a2b3c4d'; true"])
        assert play('previewJob.Jenkinsfile').message.contains('choose one that a build made')
        assert pods.empty
    }

    @Test
    void an_interruption_is_reported() {
        answers["helm upgrade 'orders'"] = interrupted()
        play('previewJob.Jenkinsfile')
        assert result == 'ABORTED'
        assert messages[-1].message.contains('was stopped at Deploy')
    }
}
